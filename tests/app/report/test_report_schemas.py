"""Each format against the judge of its own world: official schemas, spdx-tools, the shape that CI reads."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft4Validator, Draft7Validator
from lxml import etree
from referencing import Registry, Resource
from spdx_tools.spdx.parser.parse_anything import parse_file
from spdx_tools.spdx.validation.document_validator import validate_full_spdx_document

from app.report import RenderContext, Report, render
from app.report.model import RegionRef
from tests.app.report import samples

SCHEMAS = Path(__file__).parents[2] / "schemas"

JUDGED: dict[str, Report] = {
    **samples.CASES,
    "many": samples.many(60),
    **{f"hostile-{number}": samples.hostile(text) for number, text in enumerate(samples.HOSTILE)},
}
FULL = RenderContext(
    project_url="https://code.example/fracutil",
    time="2026-01-02T03:04:05Z",
    added_lines={"fracutil/approx.py": ((1, 3), (30, 44), (47, 90))},
)


def schema(name: str) -> Any:
    return json.loads((SCHEMAS / name).read_text(encoding="utf-8"))


def test_vendored_schemas_have_the_digests_that_the_readme_names() -> None:
    readme = (SCHEMAS / "README.md").read_text(encoding="utf-8")
    named = dict(re.findall(r"^\| `([^`]+)` .*`([0-9a-f]{64})` \|$", readme, re.MULTILINE))
    there = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in SCHEMAS.glob("*.json")}
    assert {name: named.get(name) for name in there} == there


@pytest.mark.parametrize("context", [RenderContext(), FULL], ids=["plain", "full"])
@pytest.mark.parametrize("name", JUDGED)
def test_sarif_is_valid(name: str, context: RenderContext) -> None:
    log = json.loads(render("sarif", JUDGED[name], context))
    Draft4Validator(schema("sarif-2.1.0-rtm.5.json")).validate(log)
    run = log["runs"][0]
    assert run["invocations"][0]["executionSuccessful"] == (JUDGED[name].status == "complete")
    for result in run["results"]:
        assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
        # Brackets and braces mean themselves: no link, no placeholder.
        assert not re.search(r"(?<!\\)[\[\]]", result["message"]["text"])
        assert not re.search(r"(?<!\{)(?:\{\{)*\{(?!\{)", result["message"]["text"])
        for place in result["locations"] + result["relatedLocations"]:
            assert re.fullmatch(r"[A-Za-z0-9%/:=&?~+!$,;@._#-]+", uri(place))
        assert not re.match(r"[a-z]+:|/", uri(result["locations"][0]))


def uri(location: Any) -> str:
    return str(location["physicalLocation"]["artifactLocation"]["uri"])


def test_sarif_levels_and_clipped_regions() -> None:
    run = json.loads(render("sarif", samples.CASES["findings"], FULL))["runs"][0]
    assert [each["level"] for each in run["results"]] == ["error", "warning", "note", "none"]
    region = run["results"][0]["locations"][0]["physicalLocation"]["region"]
    assert region == {"startLine": 30, "endLine": 50}
    unclipped = run["results"][1]["locations"][0]["physicalLocation"]["region"]
    assert unclipped == {"startLine": 101, "endLine": 124}


def moved(report: Report, lines: int) -> Report:
    findings = (
        replace(
            each,
            region=RegionRef(each.region.path, each.region.start_line + lines, each.region.end_line + lines),
        )
        for each in report.findings
    )
    return replace(report, findings=tuple(findings))


def fingerprints(name: str, report: Report) -> list[str]:
    data = json.loads(render(name, report))
    if name == "gitlab":
        return [each["fingerprint"] for each in data]
    return [each["partialFingerprints"]["primaryLocationLineHash"] for each in data["runs"][0]["results"]]


@pytest.mark.parametrize("name", ["gitlab", "sarif"])
def test_fingerprints_are_unique_and_stay_when_lines_move(name: str) -> None:
    twice = samples.report(findings=(samples.finding(), samples.finding(start=200), *samples.FINDINGS[:2]))
    first = fingerprints(name, twice)
    assert len(set(first)) == len(first) == 4
    assert fingerprints(name, moved(twice, 13)) == first
    assert len(set(fingerprints(name, samples.many(500)))) == 500


@pytest.mark.parametrize("context", [RenderContext(), FULL], ids=["plain", "full"])
@pytest.mark.parametrize("name", JUDGED)
def test_cyclonedx_is_valid(name: str, context: RenderContext) -> None:
    names = ("spdx.SNAPSHOT.schema.json", "jsf-0.82.SNAPSHOT.schema.json")
    others = [(f"http://cyclonedx.org/schema/{each}", Resource.from_contents(schema(each))) for each in names]
    registry: Registry[Any] = Registry().with_resources(others)
    bom = json.loads(render("cyclonedx", JUDGED[name], context))
    Draft7Validator(schema("bom-1.6.SNAPSHOT.schema.json"), registry=registry).validate(bom)
    assert (bom["bomFormat"], bom["specVersion"]) == ("CycloneDX", "1.6")
    references = re.findall(r'"bom-ref": "([^"]*)"', json.dumps(bom))
    assert len(set(references)) == len(references)
    assert ("compositions" in bom) == (JUDGED[name].status == "partial")


@pytest.mark.parametrize("context", [RenderContext(), FULL], ids=["plain", "full"])
@pytest.mark.parametrize("name", JUDGED)
def test_spdx_is_valid(name: str, context: RenderContext, tmp_path: Path) -> None:
    path = tmp_path / "report.spdx.json"
    path.write_text(render("spdx", JUDGED[name], context), encoding="utf-8")
    document = parse_file(str(path))
    messages = validate_full_spdx_document(document)
    assert [each.validation_message for each in messages] == []
    assert len(document.snippets) == len(JUDGED[name].findings)


def test_spdx_checksums_and_bytes_are_exact_for_known_files() -> None:
    content = b"".join(b"line %d\n" % number for number in range(1, 60))
    context = RenderContext(files={"fracutil/approx.py": content})
    document = json.loads(render("spdx", samples.report(findings=(samples.finding(),)), context))
    (file,) = document["files"]
    assert file["checksums"] == [{"algorithm": "SHA1", "checksumValue": hashlib.sha1(content).hexdigest()}]
    assert "comment" not in file
    span = document["snippets"][0]["ranges"][0]
    start, end = span["startPointer"]["offset"], span["endPointer"]["offset"]
    lines = content[start - 1 : end].decode().splitlines()
    assert (lines[0], lines[-1], len(lines)) == ("line 27", "line 50", 24)
    assert "placeholder" not in document["snippets"][0]["comment"]


@pytest.mark.parametrize("content", [b"", b"one line", b"\n" * 30])
def test_spdx_with_a_file_that_is_shorter_than_the_region(content: bytes, tmp_path: Path) -> None:
    context = RenderContext(files={"fracutil/approx.py": content})
    path = tmp_path / "report.spdx.json"
    path.write_text(render("spdx", samples.CASES["findings"], context), encoding="utf-8")
    assert validate_full_spdx_document(parse_file(str(path))) == []


@pytest.mark.parametrize("fail_on", ["ok", "attribution", "review", "conflict"])
@pytest.mark.parametrize("name", JUDGED)
def test_junit_has_the_shape_that_ci_reads(name: str, fail_on: Any) -> None:
    report = JUDGED[name]
    root = etree.fromstring(render("junit", report, RenderContext(fail_on=fail_on)).encode())
    (suite,) = root
    assert (root.tag, suite.tag) == ("testsuites", "testsuite")
    cases = list(suite)
    assert {each.tag for each in cases} == {"testcase"}
    assert all(each.get("classname") and each.get("name") and float(each.get("time")) == 0 for each in cases)
    assert len(cases) == int(suite.get("tests")) == len(report.findings) + 1
    assert len(suite.findall("testcase/failure")) == int(suite.get("failures"))
    assert len(suite.findall("testcase/error")) == int(suite.get("errors")) == (report.status == "partial")
    order = ["ok", "attribution", "review", "conflict"]
    failing = [each for each in report.findings if order.index(each.verdict.status) >= order.index(fail_on)]
    assert int(suite.get("failures")) == len(failing)
    assert {child.tag for case in cases for child in case} <= {"failure", "error", "system-out"}


@pytest.mark.parametrize("name", JUDGED)
def test_gitlab_has_the_fields_of_code_quality(name: str) -> None:
    issues = json.loads(render("gitlab", JUDGED[name]))
    for issue in issues:
        assert set(issue) == {"description", "check_name", "fingerprint", "severity", "location"}
        assert issue["severity"] in {"info", "minor", "major", "critical", "blocker"}
        assert issue["location"]["lines"]["begin"] >= 1
        assert re.fullmatch(r"[0-9a-f]{64}", issue["fingerprint"])
    assert len({issue["fingerprint"] for issue in issues}) == len(issues)


@pytest.mark.parametrize("name", JUDGED)
def test_rdjson_has_the_fields_of_reviewdog(name: str) -> None:
    result = json.loads(render("rdjson", JUDGED[name]))
    assert set(result) == {"source", "diagnostics"}
    for diagnostic in result["diagnostics"]:
        assert set(diagnostic) == {"message", "location", "severity", "code"}
        assert diagnostic["severity"] in {"ERROR", "WARNING", "INFO"}
        assert diagnostic["location"]["path"]
        for point in diagnostic["location"].get("range", {}).values():
            assert point["line"] >= 1


def test_same_reports_have_the_same_spdx_namespace_and_others_do_not() -> None:
    names = [json.loads(render("spdx", report))["documentNamespace"] for report in samples.CASES.values()]
    assert len(set(names)) == len(names)
