"""decide: total over the index of licences, the algebra of AND and OR, and what lowers a verdict."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.policy.compat import decide, of_expression
from app.policy.licenses import index
from app.policy.model import LISTS, RANK, STATUSES, Entry, ListName, Policy
from app.policy.presets import PRESETS
from corpus.model import LicenseConclusion

NAMES = [
    *("MIT", "BSD-3-Clause", "Apache-2.0", "CC0-1.0", "GPL-2.0-only", "GPL-2.0-or-later", "GPL-3.0-only"),
    *("LGPL-2.1-or-later", "AGPL-3.0-only", "MPL-2.0", "EPL-2.0", "BUSL-1.1", "CC-BY-SA-4.0", "LicenseRef-x"),
    *("GPL-2.0-only WITH Classpath-exception-2.0", "BSD-4-Clause", "LicenseRef-scancode-unknown", "ISC"),
]
OUTBOUNDS = [
    "",
    "BSD-3-Clause",
    "Apache-2.0",
    "GPL-2.0-only",
    "GPL-3.0-or-later",
    "MIT OR GPL-2.0-only",
    "BSD-3-Clause AND LGPL-2.1-only",
    "LicenseRef-y",
]
ENTRIES = [*NAMES, "category:Permissive", "category:Copyleft", "category:Copyleft Limited", "no-license"]
BAD_WORDS = ("cleared", "violation", "stole", "stolen", "infring", "guilty", "illegal", "plagiari")


def conclusion(expression: str, category: str = "", **more: object) -> LicenseConclusion:
    return LicenseConclusion(expression, category, "header", 1.0, **more)  # type: ignore[arg-type]


def entries(texts: list[str]) -> tuple[Entry, ...]:
    return tuple(Entry(text, f"list[{n}]") for n, text in enumerate(texts))


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    lists = {name: entries(draw(st.lists(st.sampled_from(ENTRIES), max_size=2))) for name in LISTS}
    return Policy(
        preset=draw(st.sampled_from(list(PRESETS))), outbound=draw(st.sampled_from(OUTBOUNDS)), **lists
    )


EXPRESSIONS = st.recursive(
    st.sampled_from(NAMES),
    lambda inner: st.tuples(st.lists(inner, min_size=2, max_size=3), st.sampled_from([" AND ", " OR "])).map(
        lambda made: "(" + made[1].join(made[0]) + ")"
    ),
    max_leaves=6,
)


def rank(policy: Policy, expression: str) -> int:
    return RANK[of_expression(policy, expression).status]


@settings(deadline=None)
@given(policies(), st.lists(EXPRESSIONS, min_size=2, max_size=4))
def test_or_is_its_best_branch(policy: Policy, parts: list[str]) -> None:
    assert rank(policy, " OR ".join(parts)) == min(rank(policy, part) for part in parts)


@settings(deadline=None)
@given(policies(), st.lists(EXPRESSIONS, min_size=2, max_size=4))
def test_and_is_its_worst_part(policy: Policy, parts: list[str]) -> None:
    assert rank(policy, " AND ".join(parts)) == max(rank(policy, part) for part in parts)


@settings(deadline=None)
@given(policies(), EXPRESSIONS, st.sampled_from(ENTRIES), st.integers(0, 3))
def test_a_further_deny_never_improves(policy: Policy, expression: str, entry: str, at: int) -> None:
    from dataclasses import replace

    deny = (*policy.deny[:at], Entry(entry, "new"), *policy.deny[at:])
    assert rank(replace(policy, deny=deny), expression) >= rank(policy, expression)


@settings(deadline=None)
@given(policies(), st.text(max_size=60), st.sampled_from(["", "Copyleft", "Permissive", "nonsense"]))
def test_decide_is_total(policy: Policy, text: str, category: str) -> None:
    verdict = decide(policy, conclusion(text, category), kind="whatever", labels=("odd",))
    assert verdict.status in STATUSES
    assert verdict.rule
    assert verdict.why
    assert verdict.what_to_do


@settings(deadline=None)
@given(st.sampled_from(["(", ")", "MIT", "OR", "AND", "WITH", "GPL-2.0+"]), st.integers(1, 20_000))
def test_long_hostile_expressions_take_linear_time(token: str, count: int) -> None:
    assert of_expression(Policy(), f"{token} " * count).status in STATUSES


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("outbound", ["", "BSD-3-Clause", "GPL-3.0-or-later"])
def test_every_licence_of_the_index_gets_a_neutral_verdict(preset: str, outbound: str) -> None:
    from license_expression import get_license_index

    policy = Policy(preset=preset, outbound=outbound)
    names = {record["license_key"] for record in get_license_index()} | set(index())
    assert len(names) >= 2_579
    for name in names:
        verdict = of_expression(policy, name)
        assert verdict.status in STATUSES
        said = f"{verdict.why} {verdict.what_to_do}"
        assert "{" not in said
        assert not any(word in said.lower() for word in BAD_WORDS)


def test_no_copyleft_of_the_index_passes_into_a_permissive_project() -> None:
    policy = Policy(outbound="BSD-3-Clause")
    passed = [
        name.id
        for name in index().values()
        if name.category in ("Copyleft", "Copyleft Limited")
        and of_expression(policy, name.id).status in STATUSES[:2]
    ]
    assert passed == []


def test_names_are_read_whatever_their_case_and_age() -> None:
    policy = Policy(outbound="GPL-3.0-only")
    for name in ("GPL-2.0-or-later", "gpl-2.0+", "GPL-2.0+", "gpl-2.0-plus"):
        assert of_expression(policy, name).status == "attribution"


def test_a_permissive_twin_caps_at_review_and_is_named() -> None:
    policy = Policy(outbound="BSD-3-Clause")
    twin = "pkg:pypi/cephes@1.0"
    verdict = decide(policy, conclusion("GPL-2.0-only"), kind="literal", permissive_twin=twin)
    assert (verdict.status, verdict.rule) == ("review", "permissive-twin")
    assert twin in verdict.why
    mild = decide(policy, conclusion("MIT"), kind="literal", permissive_twin=twin)
    assert (mild.status, mild.rule) == ("attribution", "permissive")


def test_an_unclear_direction_is_never_a_conflict() -> None:
    policy = Policy(outbound="BSD-3-Clause")
    verdict = decide(policy, conclusion("GPL-2.0-only"), labels=("direction-unknown",))
    assert (verdict.status, verdict.rule) == ("review", "direction-unknown")


@pytest.mark.parametrize("kind", ["literal", "renamed", "rewritten", "translated"])
def test_every_kind_counts_as_a_copy_until_the_policy_caps_it(kind: str) -> None:
    policy = Policy(outbound="BSD-3-Clause", caps={"translated": "review"})
    assert decide(Policy(outbound="BSD-3-Clause"), conclusion("GPL-2.0-only"), kind=kind).status == "conflict"
    capped = decide(policy, conclusion("GPL-2.0-only"), kind=kind)
    assert (capped.status, capped.rule == "capped") == (
        ("review", True) if kind == "translated" else ("conflict", False)
    )


def test_other_statements_and_labels_are_said() -> None:
    said = decide(
        Policy(outbound="BSD-3-Clause"),
        conclusion("MIT", conflicts=(("license-file", "GPL-3.0-only"),)),
        labels=("generated",),
    ).why
    assert "license-file: GPL-3.0-only" in said
    assert "generated" in said


@pytest.mark.parametrize("name", LISTS)
def test_a_verdict_names_the_line_of_a_list(name: ListName) -> None:
    policy = Policy(
        outbound="BSD-3-Clause", **{name: (Entry("MIT", f"[tool.whence] {name}[0], pyproject.toml:7"),)}
    )
    assert of_expression(policy, "MIT").where == f"[tool.whence] {name}[0], pyproject.toml:7"


def test_the_project_overrides_its_preset() -> None:
    policy = Policy(preset="scipy", allow=(Entry("Apache-2.0", "here"),))
    assert of_expression(policy, "Apache-2.0").status == "ok"
    assert of_expression(Policy(preset="scipy"), "Apache-2.0").status == "conflict"


def test_the_more_precise_entry_decides() -> None:
    policy = Policy(
        outbound="BSD-3-Clause",
        deny=entries(["category:Copyleft Limited", "GPL-2.0-only"]),
        allow=entries(["LGPL-2.1-only", "GPL-2.0-only WITH Classpath-exception-2.0"]),
    )
    assert of_expression(policy, "LGPL-2.1-only").status == "ok"
    assert of_expression(policy, "LGPL-3.0-only").status == "conflict"
    assert of_expression(policy, "GPL-2.0-only WITH Classpath-exception-2.0").status == "ok"
    assert of_expression(policy, "GPL-2.0-only").status == "conflict"


@pytest.mark.parametrize("preset", PRESETS.values(), ids=list(PRESETS))
def test_presets_name_licences_that_exist_and_their_sources(preset: object) -> None:
    from app.policy.licenses import categories, lookup
    from app.policy.presets import Preset

    assert isinstance(preset, Preset)
    seen: set[str] = set()
    for name in LISTS:
        for entry in preset.entries(name):
            if entry.text.startswith("category:"):
                assert entry.text.removeprefix("category:") in categories()
            elif entry.text != "no-license":
                known = lookup(entry.text)
                assert known is not None, entry.text
                assert known.id == entry.text
            assert entry.note
            assert entry.text not in seen
            seen.add(entry.text)
    assert preset.sources or not seen
