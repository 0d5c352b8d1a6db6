"""The rules of the house that ruff does not know: sizes, names, front pages, what is forbidden."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.figures import Figure

LONGEST_FILE = 400
LONGEST_FUNCTION = 80
SHIPPED = ("app", "workers", "corpus")

# Assembled from pieces, so that this file does not contain what it looks for.
REGISTRIES = [
    "".join(pieces)
    for pieces in (
        ("pypi", r"\.org"),
        ("python", "hosted"),
        (r"deb\.", r"debian\.org"),
        (r"security\.", r"debian\.org"),
        (r"snapshot\.", r"debian\.org"),
        (r"sources\.", r"debian\.org"),
        (r"ftp\.", r"debian\.org"),
        (r"registry\.", "npmjs"),
        (r"registry\.", "yarnpkg"),
    )
]
MACHINE = "/(?:" + "|".join(("work", "farm", "root")) + ")/"
FORBIDDEN_TEXT = re.compile("|".join([*REGISTRIES, MACHINE]))

VAGUE = re.compile(r"(?:^|_)(?:utils?|helpers?|managers?)(?:_|$)")
VAGUE_CLASS = re.compile(r"(?:Util|Helper|Manager)s?(?:[A-Z0-9]|$)")

CODE_LOADERS = {"pickle", "cPickle", "_pickle", "marshal", "shelve", "dill", "cloudpickle", "joblib"}
CODE_CALLS = {"eval", "exec", "yaml.load", "yaml.unsafe_load", "torch.load", "pandas.read_pickle"}


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def dotted(node: ast.expr) -> str:
    """`a.b` for the expression a.b; "" for what is not a plain name."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and (base := dotted(node.value)):
        return f"{base}.{node.attr}"
    return ""


def long_functions(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length >= LONGEST_FUNCTION:
                yield f"{node.lineno}: {node.name} has {length} lines"


def vague_classes(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and VAGUE_CLASS.search(node.name):
            yield f"{node.lineno}: class {node.name}"


def code_loading(tree: ast.Module) -> Iterator[str]:
    """What could run code that lies in data: loaders, eval and their like."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names if alias.name.split(".")[0] in CODE_LOADERS]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module] if node.module and node.module.split(".")[0] in CODE_LOADERS else []
        elif isinstance(node, ast.Call):
            names = [dotted(node.func)] if dotted(node.func) in CODE_CALLS else []
            names += ["allow_pickle" for keyword in node.keywords if allows_pickle(keyword)]
        else:
            continue
        for name in names:
            yield f"{node.lineno}: {name}"


def allows_pickle(keyword: ast.keyword) -> bool:
    off = isinstance(keyword.value, ast.Constant) and keyword.value.value is False
    return keyword.arg == "allow_pickle" and not off


def not_a_table(tree: ast.Module) -> Iterator[str]:
    """Statements of an `__init__.py` that are neither its docstring nor part of a literal table."""
    for index, node in enumerate(tree.body):
        docstring = index == 0 and isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        table = isinstance(node, ast.Import | ast.ImportFrom | ast.Assign | ast.AnnAssign)
        for_types = isinstance(node, ast.If) and dotted(node.test) == "TYPE_CHECKING"
        if not (docstring or table or for_types):
            yield f"{node.lineno}: {type(node).__name__}"


def no_docstring(tree: ast.Module) -> Iterator[str]:
    if not ast.get_docstring(tree):
        yield "1: the module does not say what it holds"


def found(project: Path, paths: list[Path], rule: Callable[[ast.Module], Iterator[str]]) -> list[str]:
    return [f"{path}:{offence}" for path in paths for offence in rule(parsed(project / path))]


def test_files_are_short(project: Path, modules: list[Path]) -> None:
    lengths = {path: len((project / path).read_text(encoding="utf-8").splitlines()) for path in modules}
    assert [f"{path}: {length} lines" for path, length in lengths.items() if length >= LONGEST_FILE] == []


def test_functions_are_short(project: Path, modules: list[Path]) -> None:
    assert found(project, modules, long_functions) == []


def test_names_say_what_a_thing_is(project: Path, modules: list[Path]) -> None:
    assert [
        str(path) for path in modules if any(VAGUE.search(part) for part in path.with_suffix("").parts)
    ] == []
    assert found(project, modules, vague_classes) == []


def test_a_package_opens_with_a_docstring_or_a_table(project: Path, modules: list[Path]) -> None:
    fronts = [path for path in modules if path.name == "__init__.py"]
    assert fronts
    assert found(project, fronts, not_a_table) == []


def test_every_module_says_what_it_holds(project: Path, modules: list[Path]) -> None:
    assert found(project, modules, no_docstring) == []


@pytest.mark.check("C11")
def test_no_shipped_module_loads_code_from_data(project: Path, modules: list[Path], figure: Figure) -> None:
    shipped = [path for path in modules if path.parts[0] in SHIPPED]
    offences = found(project, shipped, code_loading)
    note = f"{len(shipped)} modules"
    figure("C11", "pickle, marshal, eval and their like in the source", len(offences), exactly=0, note=note)


def test_nothing_loads_code_from_data(project: Path, modules: list[Path]) -> None:
    shipped = [path for path in modules if path.parts[0] in SHIPPED]
    assert shipped
    assert found(project, shipped, code_loading) == []


def test_no_registry_and_no_machine_is_named(project: Path, files: list[Path]) -> None:
    offences = []
    for path in files:
        text = (project / path).read_text(encoding="utf-8", errors="replace")
        for match in FORBIDDEN_TEXT.finditer(text):
            offences.append(f"{path}:{text.count(chr(10), 0, match.start()) + 1}: {match.group()}")
    assert offences == []


@pytest.mark.parametrize(
    ("rule", "source"),
    [
        (long_functions, "def f():\n" + "    pass\n" * LONGEST_FUNCTION),
        (vague_classes, "class ScanManager: ..."),
        (vague_classes, "class HelperOfScans: ..."),
        (not_a_table, "'Docstring.'\ndef f(): ..."),
        (not_a_table, "TABLE = {}\nif TABLE: ..."),
        (no_docstring, "x = 1"),
        (code_loading, "import pickle"),
        (code_loading, "def f():\n    from marshal import loads"),
        (code_loading, "eval('1')"),
        (code_loading, "import yaml\nyaml.load(text)"),
        (code_loading, "np.load(path, allow_pickle=True)"),
        (code_loading, "np.load(path, allow_pickle=flag)"),
    ],
)
def test_a_rule_finds_what_breaks_it(rule: Callable[[ast.Module], Iterator[str]], source: str) -> None:
    assert list(rule(ast.parse(source)))


@pytest.mark.parametrize(
    "source",
    [
        '"""A table."""\nimport x\nif TYPE_CHECKING:\n    import json\nTABLE = {}',
        '"""Loads data."""\nx = np.load(path, allow_pickle=False)\ny = yaml.safe_load(text)',
        '"""A short function."""\nx = [f for f in model.eval_mode]',
    ],
)
def test_good_code_breaks_no_rule(source: str) -> None:
    for rule in (long_functions, vague_classes, code_loading, not_a_table, no_docstring):
        assert list(rule(ast.parse(source))) == []


@pytest.mark.parametrize("name", ["utils", "scan_helpers", "manager", "util_names"])
def test_vague_names_are_seen(name: str) -> None:
    assert VAGUE.search(name)


def test_forbidden_text_is_seen() -> None:
    assert FORBIDDEN_TEXT.search("see https://" + "pypi" + ".org/x")
    assert FORBIDDEN_TEXT.search("open('/" + "work/main')")
    assert not FORBIDDEN_TEXT.search("app/work.py and the pypi ecosystem of packages")
