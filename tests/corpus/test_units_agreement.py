"""Functions as independent parsers see them: tree-sitter on samples and real files, ast on the library."""

from __future__ import annotations

import ast
import sysconfig
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tree_sitter_c
import tree_sitter_cpp
import tree_sitter_fortran
import tree_sitter_go
import tree_sitter_java
import tree_sitter_javascript
import tree_sitter_julia
import tree_sitter_python
import tree_sitter_rust
import tree_sitter_typescript
from tree_sitter import Language, Parser

from corpus.languages import scan
from corpus.params import DEFAULT
from corpus.units import cut
from tests.corpus.languages.scan_checks import SAMPLES
from tests.corpus.unit_samples import FUNCTIONS

GRAMMARS = {
    "c": (tree_sitter_c.language, {"function_definition"}),
    "cpp": (tree_sitter_cpp.language, {"function_definition"}),
    "fortran": (tree_sitter_fortran.language, {"subroutine", "function", "program"}),
    "go": (tree_sitter_go.language, {"function_declaration", "method_declaration"}),
    "java": (tree_sitter_java.language, {"method_declaration", "constructor_declaration"}),
    "javascript": (tree_sitter_javascript.language, {"function_declaration", "method_definition"}),
    "julia": (tree_sitter_julia.language, {"function_definition", "macro_definition"}),
    "python": (tree_sitter_python.language, {"function_definition"}),
    "rust": (tree_sitter_rust.language, {"function_item"}),
    "typescript": (
        tree_sitter_typescript.language_typescript,
        {"function_declaration", "method_definition"},
    ),
}
NO_BODY = {"fortran", "julia"}  # grammars that do not name it

# Windows so large that every function is one unit.
WHOLE = replace(DEFAULT, window_tokens=1 << 30, window_stride=1 << 29)


def parsed_ends(text: bytes, language: str) -> tuple[set[int], bool]:
    """Last lines of the outermost functions according to tree-sitter, and whether it could parse the text."""
    grammar, kinds = GRAMMARS[language]
    tree = Parser(Language(grammar())).parse(text)
    ends, stack = set(), [tree.root_node]
    while stack:
        node = stack.pop()
        if node.type in kinds and (language in NO_BODY or node.child_by_field_name("body")):
            # A node may take in the line break that follows it.
            row, column = node.end_point
            ends.add(row + (column > 0))
        else:
            stack.extend(node.children)
    return ends, not tree.root_node.has_error


def our_ends(text: bytes, language: str) -> set[int]:
    units = cut(scan(text, language), text, language, WHOLE)
    return {unit.end_line for unit in units if unit.kind == "function"}


@pytest.mark.parametrize("language", GRAMMARS)
def test_functions_of_the_samples_end_where_tree_sitter_says(language: str) -> None:
    texts = [SAMPLES[language]]
    if language in FUNCTIONS:
        texts.append(FUNCTIONS[language][0].encode())
    for text in texts:
        expected, valid = parsed_ends(text, language)
        if valid:
            assert expected <= our_ends(text, language)


def agreement(paths: Iterable[Path], language: str) -> tuple[float, float, int]:
    """Recall on all files, precision on those that tree-sitter parses without error, how many functions."""
    both = theirs = ours = right = 0
    for path in paths:
        text = path.read_bytes()
        expected, valid = parsed_ends(text, language)
        found = our_ends(text, language)
        both += len(expected & found)
        theirs += len(expected)
        if valid:
            ours += len(found)
            right += len(expected & found)
    return both / max(theirs, 1), right / max(ours, 1), theirs


@pytest.mark.slow
def test_agrees_with_tree_sitter_on_the_headers_of_python_and_numpy() -> None:
    folders = [Path(sysconfig.get_paths()["include"]), Path(np.get_include())]
    recall, precision, functions = agreement([path for f in folders for path in sorted(f.rglob("*.h"))], "c")
    assert functions > 100
    assert recall >= 0.99
    assert precision >= 0.99


@pytest.mark.slow
def test_agrees_with_tree_sitter_on_installed_headers() -> None:
    paths = [path for path in sorted(Path("/usr/include").rglob("*")) if path.suffix in (".h", ".tcc", "")]
    paths = [path for path in paths if path.is_file() and path.stat().st_size < 200_000][::20]
    recall, _, functions = agreement(paths, "cpp")
    assert functions > 50
    assert recall >= 0.97


@pytest.mark.slow
def test_agrees_with_tree_sitter_on_real_fortran() -> None:
    paths = sorted(Path(np.__file__).parent.rglob("*.f90"))
    recall, precision, functions = agreement(paths, "fortran")
    assert functions > 50
    assert recall >= 0.95
    assert precision >= 0.95


def outermost(tree: ast.AST) -> set[tuple[str, int]]:
    """(name, first line) of functions and methods that are in no function."""
    found: set[tuple[str, int]] = set()
    for child in ast.iter_child_nodes(tree):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            found.add((child.name, min([child.lineno, *(d.lineno for d in child.decorator_list)])))
        else:
            found |= outermost(child)
    return found


def assert_finds_python_functions(paths: list[Path]) -> None:
    count = 0
    for path in paths:
        text = path.read_bytes()
        units = cut(scan(text, "python"), text, "python", WHOLE)
        found = {(unit.name, unit.start_line) for unit in units if unit.kind == "function"}
        expected = outermost(ast.parse(text))
        assert found == expected, path
        count += len(expected)
    assert count > 100


def test_finds_exactly_the_functions_of_python() -> None:
    assert_finds_python_functions(sorted(Path(sysconfig.get_paths()["stdlib"]).glob("[a-c]*.py")))


@pytest.mark.slow
def test_finds_exactly_the_functions_of_the_standard_library() -> None:
    assert_finds_python_functions(sorted(Path(sysconfig.get_paths()["stdlib"]).glob("*.py")))
