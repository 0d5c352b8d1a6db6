"""One exam for all renderers: nothing left out, nothing claimed, nothing breaks out, the same each time."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from lxml import etree
from markdown_it import MarkdownIt

import app.report
from app.report import RENDERERS, RenderContext, Report, render
from app.report.github import MOST
from tests.app.report import samples

ALL = sorted(RENDERERS)
GOLDEN = Path(__file__).parents[2] / "golden" / "report"
SNIPPETS = samples.snippets(samples.CASES["findings"])
JSON_FORMATS = ["json", "sarif", "gitlab", "rdjson", "spdx", "cyclonedx"]

# What a report never says: a judgement about people, a claim of descent, an approval.
FORBIDDEN = re.compile(
    r"\b(?:stole\w*|steal\w*|theft|plagiari\w*|ai[- ]generated|infring\w*|clear(?:ed|ance)|clean\w*|safe\w*|"
    r"violat\w*|cop(?:y|ied) (?:of|from)|(?:taken|derived|lifted|adapted) from|pirat\w*|illegal\w*|guilty)\b",
    re.IGNORECASE,
)


def content(name: str, text: str) -> str:
    """What a reader of the format gets to read, quoting undone."""
    if name in JSON_FORMATS:
        return unquote(" ".join(strings(json.loads(text))))
    if name == "junit":
        root = etree.fromstring(text.encode())
        return " ".join(
            [*root.itertext(), *(value for node in root.iter() for value in node.attrib.values())]
        )
    return unquote(text) if name == "github" else text


def strings(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [*value, *(each for item in value.values() for each in strings(item))]
    if isinstance(value, list):
        return [each for item in value for each in strings(item)]
    return [str(value)]


@pytest.mark.parametrize("name", ALL)
def test_every_finding_is_told(name: str) -> None:
    told = content(name, render(name, samples.CASES["findings"], SNIPPETS))
    for finding in samples.CASES["findings"].findings:
        region, origin = finding.region, finding.origin
        for fact in (region.path, str(region.start_line), str(region.end_line), origin.purl, origin.path):
            assert fact in told
        assert (finding.license.expression or "unknown") in told
        assert finding.verdict.status in told.lower()


@pytest.mark.parametrize("name", ALL)
def test_the_direction_is_unknown(name: str) -> None:
    told = content(name, render(name, samples.CASES["findings"]))
    assert "direction" in told or name == "json"


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("case", ["partial", "empty-partial"])
def test_a_partial_search_is_visible(name: str, case: str) -> None:
    told = content(name, render(name, samples.CASES[case]))
    assert "partial" in told.lower()
    assert samples.TOO_LONG.path in told
    assert samples.TOO_LONG.reason in told
    # Where a format has a place for the search itself, the summary begins with it.
    assert "PARTIAL: 1 part of the change was not searched." in told or name in ("json", "gitlab", "rdjson")


@pytest.mark.parametrize("name", sorted(set(ALL) - {"gitlab", "rdjson"}))
def test_declared_ai_use_is_told(name: str) -> None:
    told = re.sub(r"\s+", " ", content(name, render(name, samples.CASES["declared"])))
    if name in ("text", "markdown", "json"):
        for fact in ("Copilot", "Assisted-by", "commit 1", "pull request", "disagree", "policy.example"):
            assert fact in told
    if name != "json":
        assert "rule on declared AI use (gentoo) is not met" in told
    assert "declared AI" not in content(name, render(name, samples.CASES["empty"]))


@pytest.mark.parametrize("name", sorted(set(ALL) - {"json", "gitlab", "rdjson"}))
def test_an_empty_report_says_what_was_searched(name: str) -> None:
    told = content(name, render(name, samples.CASES["empty"]))
    assert "No similar code found in 53 releases (17,739 files, 107,000 code units" in told
    assert name == "sarif" or "is no approval" in re.sub(r"\s+", " ", told)
    assert "Nothing was searched" in content(name, render(name, samples.CASES["nothing"]))


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("case", samples.CASES)
def test_wording_is_neutral(name: str, case: str) -> None:
    output = render(name, samples.CASES[case], SNIPPETS)
    assert not FORBIDDEN.search(output)


def test_templates_are_neutral() -> None:
    folder = Path(app.report.__file__).parent
    modules = sorted(folder.glob("*.py"))
    assert len(modules) > len(RENDERERS)
    for module in modules:
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                assert not FORBIDDEN.search(node.value), f"{module.name}:{node.lineno}"
    assert not FORBIDDEN.search((folder / "schema.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    "sentence", ["This code is CLEAN.", "AI-generated", "a copy of x", "derived from y", "safe"]
)
def test_the_word_list_finds_words(sentence: str) -> None:
    assert FORBIDDEN.search(sentence)


@pytest.mark.parametrize("name", ALL)
def test_the_same_each_time_whatever_the_environment(name: str) -> None:
    first = render(name, samples.CASES["partial"])
    assert render(name, Report.from_dict(samples.CASES["partial"].to_dict())) == first
    code = (
        "import json, sys; from app.report import Report, render; "
        "report = Report.from_dict(json.load(sys.stdin)); "
        f"sys.stdout.buffer.write(render({name!r}, report).encode())"
    )
    noisy = {"COLUMNS": "31", "TERM": "dumb", "FORCE_COLOR": "1", "PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        input=json.dumps(samples.CASES["partial"].to_dict()).encode(),
        capture_output=True,
        check=True,
        env={**os.environ, **noisy},
    )
    assert done.stdout.decode() == first


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("case", ["leads", "partial", "empty", "nothing", "declared"])
def test_golden(name: str, case: str, golden: Callable[[Path, str], None]) -> None:
    output = render(name, samples.CASES[case], samples.snippets(samples.CASES[case]))
    golden(GOLDEN / f"{case}{RENDERERS[name].suffix}", output)


def raw_hidden(text: str) -> set[str]:
    """Hidden characters that stand in `text` unescaped; newlines are the renderers' own."""
    hidden = {each for each in set(text) if unicodedata.category(each) in ("Cc", "Cf", "Cs", "Zl", "Zp")}
    return hidden - {"\n"}


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("text", samples.HOSTILE, ids=range(len(samples.HOSTILE)))
def test_no_hidden_character_and_the_same_structure(name: str, text: str) -> None:
    report, benign = samples.hostile(text), samples.hostile("benign")
    output = render(name, report, samples.snippets(report, text))
    assert raw_hidden(output) == set()
    assert skeleton(name, output) == skeleton(name, render(name, benign, samples.snippets(benign, "benign")))


def skeleton(name: str, output: str) -> object:
    """The structure that a parser of the format sees, without the texts."""
    if name in JSON_FORMATS:
        return shape(json.loads(output))
    if name == "junit":
        return [(node.tag, sorted(node.attrib)) for node in etree.fromstring(output.encode()).iter()]
    if name == "github":
        return [command(line) for line in output.splitlines()]
    if name == "markdown":
        return markdown_shape(output)
    return [line[:4] for line in output.splitlines() if re.match(r"  [a-z]|\[|Not|Limits", line)]


def command(line: str) -> tuple[str, list[str]]:
    """Type and property names of a workflow command, read as the runner reads it."""
    assert line.startswith("::")
    head, separator, _ = line[2:].partition("::")
    assert separator
    kind, _, properties = head.partition(" ")
    names = [each.partition("=")[0] for each in properties.split(",")]
    # A path that no runner could hold is left out.
    return kind, [each for each in names if each != "file"]


# Written only when a text has the form of an address or a version.
OPTIONAL = ("renames", "externalReferences", "version", "versionInfo")


def shape(value: Any) -> Any:
    if isinstance(value, dict):
        # Names that come from the report: the maps of the report itself.
        if not all(re.fullmatch(r"[$%A-Za-z/1_-]+", key) for key in value):
            return len(value)
        return {key: shape(item) for key, item in value.items() if key not in OPTIONAL}
    if isinstance(value, list):
        return [shape(item) for item in value]
    return type(value).__name__


def markdown_shape(output: str) -> list[str]:
    """The block tokens; asserts that nothing inline can act and that no text becomes a link or a mention."""
    parser = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    found = []
    for token in parser.parse(output):
        if token.type == "html_block":
            assert re.fullmatch(
                r"(?:<!-- whence report -->|</?details>|<details><summary>[\w ().,:]*</summary>)\n*",
                token.content,
            )
        if token.type != "inline":
            found.append(token.type)
            continue
        for child in token.children or []:
            if child.type == "html_inline":
                assert child.content in ("<sub>", "</sub>")
            elif child.type == "link_open":
                assert re.fullmatch(r"https://(?:evil|code)\.example/[!-~]*", str(child.attrs["href"]))
            elif child.type == "text":
                assert not re.search(r"[@<>]|://|www\.|#\w|GH-\d", child.content)
            else:
                assert child.type in ("code_inline", "strong_open", "strong_close", "link_close", "softbreak")
    return found


@pytest.mark.parametrize("text", samples.HOSTILE, ids=range(len(samples.HOSTILE)))
def test_a_coloured_terminal_sees_our_colours_only(text: str) -> None:
    report = samples.hostile(text)
    context = samples.snippets(report, text)
    output = render("text", report, RenderContext(context.submitted_lines, context.origin_lines, color=True))
    assert "\x1b[1;31m" in output
    assert raw_hidden(re.sub(r"\x1b\[[0-9;]*m", "", output)) == set()


def test_text_is_ascii_unless_for_a_terminal() -> None:
    report = samples.hostile("é漢字🙂.py")
    assert render("text", report).isascii()
    assert "é漢字🙂.py" in render("text", report, RenderContext(color=True))


@pytest.mark.parametrize("width", [40, 80, 200])
def test_prose_keeps_to_the_width(width: int) -> None:
    output = render("text", samples.CASES["partial"], RenderContext(width=width))
    long = [line for line in output.splitlines() if len(line) > width]
    assert all(" pkg:" in line or "http" in line or ".py:" in line for line in long)


def test_500_findings_keep_to_the_budgets() -> None:
    report = samples.many(500)
    for budget in (4_000, 60_000):
        comment = render("markdown", report, RenderContext(max_bytes=budget))
        assert len(comment.encode()) <= budget
        assert re.search(r"\d+ more findings did not fit here", comment)
        markdown_shape(comment)
    annotations = render("github", report).splitlines()
    for kind in ("error", "warning", "notice"):
        lines = [line for line in annotations if line.startswith(f"::{kind} ")]
        assert len(lines) == MOST
        assert "did not fit here" in lines[-1]
    for name in ALL:
        assert len(render(name, report)) < 2_000_000


@pytest.mark.parametrize("text", samples.HOSTILE, ids=range(len(samples.HOSTILE)))
@pytest.mark.parametrize("budget", [4_000, 60_000])
def test_markdown_keeps_to_the_budget_with_hostile_texts(text: str, budget: int) -> None:
    report = samples.hostile(text)
    context = samples.snippets(report, text)
    context = RenderContext(context.submitted_lines, context.origin_lines, max_bytes=budget)
    assert len(render("markdown", report, context).encode()) <= budget


def test_leads_are_for_who_asks() -> None:
    for name in sorted(set(ALL) - {"json", "text"}):
        assert (
            render(name, samples.CASES["leads"]) == render(name, samples.CASES["findings"]) or name == "spdx"
        )
        assert "poly/eval.c" not in render(name, samples.CASES["leads"])
    assert "poly/eval.c:10-30" in render("text", samples.CASES["leads"])


def test_without_submitted_text_no_rename_is_rendered() -> None:
    forgotten = samples.CASES["findings"].without_submitted_text()
    for name in ALL:
        assert "maxit" not in render(name, forgotten)
    assert "maxit" in render("text", samples.CASES["findings"])


def test_an_unknown_format_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        render("html5", samples.CASES["empty"])


@pytest.mark.parametrize("name", ALL)
def test_the_table_leads_to_renderers(name: str) -> None:
    module, media_type, suffix = RENDERERS[name]
    assert module == f"app.report.{name}"
    assert "/" in media_type
    assert suffix.startswith(".")
