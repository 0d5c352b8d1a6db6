"""The JSON form of the report: strict, versioned, as the committed schema says; and what `assemble` does."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

import app.report
from app.report import Report, assemble
from app.report.codec import BadReport, decode, json_schema
from app.report.model import (
    SEVERITY,
    AlsoOrigin,
    Engine,
    EstablishedBy,
    Evidence,
    Finding,
    Kind,
    Lead,
    License,
    LicenseConflict,
    Origin,
    PolicyRef,
    RegionRef,
    Skipped,
    Snapshot,
    Verdict,
    finding_order,
    leads_not_told,
)
from corpus.model import EstablishedBy as CorpusEstablishedBy
from tests.app.report import samples

SCHEMA = Path(app.report.__file__).with_name("schema.json")
VALIDATOR = Draft202012Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))

words = st.text(max_size=12)
names = st.text(min_size=1, max_size=12)
counts = st.integers(0, 2**53)
shares = st.floats(0, 1)


@st.composite
def spans(draw: st.DrawFn) -> tuple[int, int]:
    start = draw(st.integers(1, 10**6))
    return start, start + draw(st.integers(0, 500))


licenses = st.builds(
    License,
    words,
    words,
    st.sampled_from(get_args(EstablishedBy)),
    shares,
    st.lists(st.builds(LicenseConflict, words, st.sampled_from(get_args(EstablishedBy))), max_size=2).map(
        tuple
    ),
)
origin_lines = st.tuples(
    st.sampled_from(("pkg:pypi/one@1", "pkg:deb/debian/two%2B@2-1?arch=source")),
    names,
    spans(),
    words,
    st.sampled_from(("", "swh:1:cnt:" + "0f" * 20)),
)
also_origins = st.tuples(origin_lines, licenses).map(
    lambda drawn: AlsoOrigin(drawn[0][0], drawn[0][1], *drawn[0][2], drawn[0][3], drawn[0][4], drawn[1])
)
origins = st.tuples(origin_lines, st.lists(also_origins, max_size=3)).map(
    lambda drawn: Origin(drawn[0][0], drawn[0][1], *drawn[0][2], drawn[0][3], drawn[0][4], tuple(drawn[1]))
)
regions = st.tuples(names, spans()).map(lambda drawn: RegionRef(drawn[0], *drawn[1]))
evidences = st.builds(
    Evidence,
    st.sampled_from(get_args(Kind)),
    shares,
    shares,
    shares,
    counts,
    counts,
    st.floats(0, 1e300),
    st.lists(st.tuples(st.integers(1, 999), st.integers(1, 999)), max_size=3).map(tuple),
    st.dictionaries(words, words, max_size=2),
    st.lists(words, max_size=2).map(tuple),
)
verdicts = st.builds(Verdict, st.sampled_from(SEVERITY), names, words, words)
findings = st.builds(Finding, names, regions, origins, licenses, evidences, verdicts)
leads = st.builds(Lead, names, regions, origins, licenses, evidences)
reports = st.builds(
    lambda found, **rest: assemble(findings=found, searched=bool(found) or rest["outbound"] != "", **rest),
    st.lists(findings, max_size=3),
    engine=st.builds(Engine, names, names),
    snapshot=st.builds(Snapshot, names, counts, counts, counts, st.dictionaries(words, counts, max_size=2)),
    outbound=words,
    policy=st.builds(PolicyRef, names, names),
    leads=st.none() | st.lists(leads, max_size=2),
    skipped=st.lists(st.builds(Skipped, words, names, st.booleans()), max_size=2),
    limits=st.lists(words, max_size=2),
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.floats(-2, 2) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)


def test_the_committed_schema_is_the_models(golden: Callable[[Path, str], None]) -> None:
    golden(SCHEMA, json.dumps(json_schema(Report, "Whence report"), indent=2) + "\n")
    Draft202012Validator.check_schema(json.loads(SCHEMA.read_text(encoding="utf-8")))


@pytest.mark.parametrize("name", samples.CASES)
def test_samples_validate_and_come_back(name: str) -> None:
    data = json.loads(app.report.render("json", samples.CASES[name]))
    VALIDATOR.validate(data)
    assert Report.from_dict(data) == samples.CASES[name]


@settings(max_examples=60, deadline=None)
@given(reports)
def test_any_report_validates_and_comes_back(report: Report) -> None:
    data = json.loads(json.dumps(report.to_dict(), allow_nan=False))
    VALIDATOR.validate(data)
    assert Report.from_dict(data) == report


def places(data: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path]
    steps = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for step, item in steps:
        found += places(item, (*path, step))
    return found


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_schema_and_model_accept_the_same(drawn: st.DataObject) -> None:
    data = copy.deepcopy(samples.CASES["leads"].to_dict())
    path = drawn.draw(st.sampled_from(places(data)[1:]))
    parent = data
    for step in path[:-1]:
        parent = parent[step]
    change = drawn.draw(st.sampled_from(("replace", "remove", "add")))
    if change == "replace":
        parent[path[-1]] = drawn.draw(json_values)
    elif change == "remove":
        del parent[path[-1]]
    elif isinstance(parent[path[-1]], dict):
        parent[path[-1]][drawn.draw(words)] = drawn.draw(json_values)
    try:
        decode(Report, data)
        accepted = True
    except BadReport:
        accepted = False
    assert accepted == VALIDATOR.is_valid(data)


@pytest.mark.parametrize(
    ("path", "value", "named"),
    [
        (("schema_version",), "2", ".schema_version"),
        (("worst",), "dreadful", ".worst"),
        (("findings", 0, "evidence", "similarity"), 1.5, ".findings[0].evidence.similarity"),
        (("findings", 0, "evidence", "chance"), float("nan"), ".findings[0].evidence.chance"),
        (("findings", 0, "evidence", "chance"), 10**400, ".findings[0].evidence.chance"),
        (("findings", 0, "region", "start_line"), True, ".findings[0].region.start_line"),
        (("findings", 0, "region", "start_line"), 9_999, ".findings[0]"),
        (("findings", 0, "region", "path"), "a\x00b", ".findings[0].region.path"),
        (("findings", 0, "origin", "purl"), "glpk", ".findings[0].origin.purl"),
        (("findings", 0, "origin", "swhid"), "swh:1:cnt:xyz", ".findings[0].origin.swhid"),
        (("findings", 0, "surprise"), 1, ".findings[0]"),
        (("status",), "partial", ".status"),
        (("worst",), "review", ".worst"),
    ],
)
def test_a_bad_report_is_refused_by_name(path: tuple[Any, ...], value: Any, named: str) -> None:
    data = samples.CASES["findings"].to_dict()
    parent: Any = data
    for step in path[:-1]:
        parent = parent[step]
    parent[path[-1]] = value
    with pytest.raises(BadReport) as refused:
        Report.from_dict(data)
    assert refused.value.where == named


@pytest.mark.parametrize("data", [None, [], "report", 3, {}])
def test_what_is_no_report_is_refused(data: object) -> None:
    with pytest.raises(BadReport):
        Report.from_dict(data)


def test_findings_are_ordered_by_verdict_then_chance() -> None:
    shuffled = (
        *samples.FINDINGS,
        samples.finding(chance=1e-9, start=200),
        samples.finding("review", chance=2.0),
    )
    report = samples.report(findings=shuffled)
    keys = [(entry.verdict.status, entry.evidence.chance) for entry in report.findings]
    assert keys == [
        ("conflict", 1e-9),
        ("conflict", 1e-6),
        ("review", 0.004),
        ("review", 2.0),
        ("attribution", 3e-4),
        ("ok", 1e-9),
    ]
    data = report.to_dict()
    data["findings"].reverse()
    with pytest.raises(BadReport, match="order"):
        Report.from_dict(data)


@given(st.permutations(samples.FINDINGS))
def test_the_order_of_the_input_does_not_matter(shuffled: list[Finding]) -> None:
    assert samples.report(findings=tuple(shuffled)) == samples.CASES["findings"]
    assert sorted(shuffled, key=finding_order) == list(samples.CASES["findings"].findings)


def test_worst_and_status() -> None:
    assert samples.CASES["findings"].worst == "conflict"
    assert samples.report(findings=samples.FINDINGS[:1]).worst == "ok"
    assert samples.CASES["empty"].worst == "ok"
    assert samples.CASES["nothing"].worst is None
    assert samples.CASES["findings"].status == "complete"
    assert samples.CASES["partial"].status == "partial"
    assert "leads" not in samples.CASES["findings"].to_dict()


def test_a_lead_never_repeats_a_finding() -> None:
    found = samples.finding()
    same = Lead(found.id, found.region, found.origin, found.license, found.evidence)
    overlapping = replace(same, region=RegionRef(found.region.path, 45, 90))
    mirrored = replace(
        same, origin=replace(found.origin, purl="pkg:pypi/mirrored@2.1", path="lib/rational.c")
    )
    elsewhere = replace(same, region=RegionRef(found.region.path, 51, 90))
    other = replace(same, origin=replace(found.origin, path="src/other.c"))
    report = samples.report(findings=(found,), leads=(same, overlapping, elsewhere, mirrored, other))
    assert report.leads == (elsewhere, other)
    with pytest.raises(BadReport, match="repeats"):
        Report.from_dict({**report.to_dict(), "leads": [_as_dict(same)]})
    assert leads_not_told((same,), ()) == (same,)


def _as_dict(lead: Lead) -> Any:
    data = samples.report(findings=(), leads=(lead,)).to_dict()
    return data["leads"][0]


def test_at_most_ten_further_origins() -> None:
    found = samples.finding()
    crowded = replace(found, origin=replace(found.origin, also=found.origin.also * 11))
    with pytest.raises(BadReport, match="at most 10") as refused:
        samples.report(findings=(crowded,))
    assert refused.value.where == ".findings[0].origin.also"


def test_unstorable_text_becomes_visible_escapes() -> None:
    report = samples.report(skipped=(Skipped("half \ud800\x00", "binary", False),))
    assert report.skipped[0].path == "half \\ud800\\u0000"


def test_without_submitted_text_no_rename_is_left() -> None:
    report = samples.report(leads=(samples.lead(),))
    assert any(entry.evidence.renames for entry in report.findings)
    forgotten = report.without_submitted_text()
    assert not any(entry.evidence.renames for entry in (*forgotten.findings, *(forgotten.leads or ())))
    assert len(forgotten.findings) == len(report.findings)


def test_words_for_how_a_license_was_established_are_the_corpus_ones() -> None:
    assert get_args(EstablishedBy) == get_args(CorpusEstablishedBy)


def test_import_is_light() -> None:
    heavy = "{'numpy', 'rich', 'jsonschema', 'packageurl', 'license_expression'}"
    code = f"import sys, app.report; print(sorted({heavy} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
