"""Policies from TOML: what is read, where it stands, and what is refused with its place."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.policy.lines import positions
from app.policy.model import BadPolicy, Policy
from app.policy.parse import parse, with_outbound

PYPROJECT = '''# a comment = with "signs"
[project]
name = "x"
description = """
deny = ["not here"]
"""

[tool.whence]
name = "Ours"
preset = "scipy"
outbound = "BSD-3-Clause"
deny = [
    "MS-PL",  # "why", [because]
    # nothing here
    "Zlib", "category:Commercial",
    'ISC',
]
allow = ["Apache-2.0"]
exclude = ["vendored/**"]
self = ["pkg:pypi/x"]
ai-disclosure = "require"
fail-on = "review"
caps = { translated = "review" }

[tool.whence.thresholds]
min-tokens = 40
max_chance = 1e-6

[[tool.whence.accept]]
id = "aaaa"
reason = "ours"
owner = "Ada"
date = 2026-11-01

[[tool.whence.accept]]
id = "bbbb"
reason = "permission-granted"
owner = "Ada"
date = 2026-11-02
expires = 2027-11-02
link = "https://example.org/permission"
'''


def test_a_whole_policy_is_read() -> None:
    policy = parse(PYPROJECT, "pyproject.toml")
    assert (policy.name, policy.preset, policy.outbound) == ("Ours", "scipy", "BSD-3-Clause")
    assert [entry.text for entry in policy.deny] == ["MS-PL", "Zlib", "category:Commercial", "ISC"]
    assert (policy.excludes, policy.self_purls) == (("vendored/**",), ("pkg:pypi/x",))
    assert (policy.ai_disclosure, policy.fail_on) == ("require", "review")
    assert (policy.caps, policy.thresholds) == (
        {"translated": "review"},
        {"min_tokens": 40, "max_chance": 1e-6},
    )
    assert [waiver.id for waiver in policy.waivers] == ["aaaa", "bbbb"]


def test_entries_know_their_lines() -> None:
    policy = parse(PYPROJECT, "pyproject.toml")
    lines = PYPROJECT.splitlines()
    for number, entry in enumerate(policy.deny):
        place, _, line = entry.where.rpartition(":")
        assert place == f"[tool.whence] deny[{number}], pyproject.toml"
        assert entry.text in lines[int(line) - 1]
    assert lines[int(policy.allow[0].where.rpartition(":")[2]) - 1].startswith("allow")
    for waiver in policy.waivers:
        line = int(waiver.where.rpartition(":")[2])
        assert lines[line - 1] == "[[tool.whence.accept]]"
        assert waiver.id in lines[line]


def test_a_file_of_its_own_has_the_keys_at_the_top() -> None:
    policy = parse('\n\ndeny = ["MIT"]\n', "whence.toml")
    assert policy.deny[0].where == "deny[0], whence.toml:3"


@pytest.mark.parametrize("text", ["", "[project]\nname = 'x'\n", "[build-system]\n", "[tool.other]\nx = 1\n"])
def test_no_policy_is_the_default(text: str) -> None:
    assert parse(text, "pyproject.toml") == Policy(where="pyproject.toml")


def test_the_outbound_of_a_preset_fills_in() -> None:
    policy = parse('preset = "apache"', "whence.toml")
    assert with_outbound(policy, "").outbound == "Apache-2.0"
    assert with_outbound(policy, "MIT").outbound == "MIT"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("denny = []", "did you mean deny"),
        ("deny = 'MIT'", "must be an array"),
        ("\ndeny = ['MIT',\n 3]", "deny[1], whence.toml:3"),
        ("deny = ['']", "not empty"),
        ("preset = 'scypi'", "no preset 'scypi'"),
        ("fail-on = 'never'", "not one of ok, attribution, review, conflict"),
        ("fail_on = 'ok'\nfail-on = 'ok'", "set twice"),
        ("ai_disclosure = 'maybe'", "not one of off"),
        ("caps = { guessed = 'ok' }", "no 'guessed' in caps"),
        ("caps = { literal = 'fine' }", "'fine' is not one of"),
        ("caps = 3", "must be a table"),
        ("[thresholds]\nmin_tokens = -1", "must be a number"),
        ("[thresholds]\nmin_tokens = true", "must be a number"),
        ("[thresholds]\nmin_tokens = nan", "must be a number"),
        ("outbound = 3", "must be a text"),
        ("deny = [", "not TOML"),
        ("accept = 3", "array of tables"),
        ("[[accept]]\nid = 'x'", "reason must be a text"),
        ("[[accept]]\nid='x'\nreason='because'\nowner='a'\ndate=2026-01-01", "not one of the reasons"),
        ("[[accept]]\nid='x'\nreason='ours'\nowner='a'", "date is needed"),
        ("[[accept]]\nid='x'\nreason='ours'\nowner='a'\ndate='soon'", "must be a day"),
        ("[[accept]]\nid='x'\nreason='ours'\nowner='a'\ndate=3", "must be a day"),
        ("[[accept]]\nid='x'\nreason='permission-granted'\nowner='a'\ndate=2026-01-01", "needs a link"),
        (
            "[[accept]]\nid='x'\nreason='ours'\nowner='a'\ndate=2026-01-01\nexpire=2027-01-01",
            "no key 'expire'",
        ),
        ("x = " + "[" * 5_000, "not TOML"),
        ("#" * 1_000_001, "longer than"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_place(text: str, said: str) -> None:
    with pytest.raises(BadPolicy) as caught:
        parse(text, "whence.toml")
    assert said in str(caught.value)
    assert "whence.toml" in str(caught.value)


def test_the_digest_follows_what_decides_and_nothing_else() -> None:
    one = parse('deny = ["MIT", "ISC"]', "whence.toml")
    other = parse('\n# moved\nname = "Other"\ndeny = ["ISC", "MIT"]', "there/whence.toml")
    assert one.digest == other.digest
    changed = [
        'deny = ["MIT"]',
        'allow = ["MIT", "ISC"]',
        'preset = "none"',
        'outbound = "MIT"',
        'fail_on = "ok"',
    ]
    digests = {parse(text, "whence.toml").digest for text in changed}
    assert len(digests | {one.digest}) == len(changed) + 1


WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=8)


def toml_text(value: str, mark: int) -> str:
    import json

    if mark == 0 or "'" in value or "\x7f" in value:
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return f"'{value}'"


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(WORDS, st.integers(0, 1), st.sampled_from(["", "\n", " # x = ['\n", "\n\n"])), max_size=6
    ),
    WORDS,
)
def test_lines_of_elements_are_those_of_the_text(items: list[tuple[str, int, str]], noise: str) -> None:
    """Any array, however it is laid out: each element is found on the line where it was written."""
    text, expected = f"before = {toml_text(noise, 0)}\n\nkey = [", []
    for value, mark, gap in items:
        text += gap
        expected.append(text.count("\n") + 1)
        text += toml_text(value, mark) + ","
    text += "\n]\nafter = 1\n"
    assert tomllib.loads(text)["key"] == [value for value, _, _ in items]
    found = positions(text)
    assert [found[("key", number)] for number in range(len(items))] == expected
    assert found[("after",)] == text.count("\n")
