"""SPDX expressions: reading, normal form, categories."""

import pytest

from corpus.licenses import expression


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("GPL-2.0+", "GPL-2.0-or-later"),
        ("GPL-2.0", "GPL-2.0-only"),
        ("lgpl-2.1", "LGPL-2.1-only"),
        ("(MIT AND (MIT))", "MIT"),
        ("mit or gpl-3.0-or-later", "GPL-3.0-or-later OR MIT"),
        ("gpl-2.0-only with classpath-exception-2.0", "GPL-2.0-only WITH Classpath-exception-2.0"),
        ("GPL-2.0 AND (MIT OR BSD-3-Clause)", "GPL-2.0-only AND (BSD-3-Clause OR MIT)"),
        ("LicenseRef-Ours AND MIT", "LicenseRef-Ours AND MIT"),
    ],
)
def test_parse_gives_the_normal_form(written: str, normal: str) -> None:
    assert expression.parse_spdx(written) == normal
    assert expression.parse_spdx(normal) == normal


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "WITH",
        "MIT OR",
        "no such license",
        "MIT/Apache-2.0",
        "a WITH b WITH c",
        "(" * 900,
        "MIT " * 900,
    ],
)
def test_what_is_no_expression_is_none(text: str) -> None:
    assert expression.parse_spdx(text) is None


@pytest.mark.parametrize(
    ("keys", "spdx"),
    [
        ("gpl-3.0-plus", "GPL-3.0-or-later"),
        ("bsd-new AND philippe-de-muyter", "BSD-3-Clause AND LicenseRef-scancode-philippe-de-muyter"),
        ("gpl-2.0 WITH linux-syscall-exception-gpl", "GPL-2.0-only WITH Linux-syscall-note"),
        ("public-domain", "LicenseRef-scancode-public-domain"),
        ("gpl-2.0-autoopts", "LicenseRef-scancode-gpl-2.0-autoopts"),  # the index gives it no SPDX id
        ("not an expression", ""),
    ],
)
def test_scancode_keys_become_spdx(keys: str, spdx: str) -> None:
    assert expression.from_scancode(keys) == spdx


@pytest.mark.parametrize(
    ("text", "category"),
    [
        ("MIT", "Permissive"),
        ("MIT AND GPL-2.0-only", "Copyleft"),
        ("MIT OR GPL-2.0-only", "Permissive"),
        ("GPL-3.0-only OR LGPL-3.0-or-later", "Copyleft Limited"),
        ("GPL-2.0-only AND (MIT OR GPL-3.0-only)", "Copyleft"),
        ("GPL-3.0-or-later WITH GCC-exception-3.1", "Copyleft Limited"),
        ("Apache-2.0 WITH LLVM-exception", "Permissive"),
        ("LicenseRef-scancode-gpl-2.0-autoopts", "Copyleft Limited"),
        ("LicenseRef-Ours", "Unknown"),
        ("LicenseRef-Ours AND GPL-2.0-only", "Copyleft"),
        ("LicenseRef-Ours AND MIT", "Unknown"),
        ("LicenseRef-Ours OR GPL-2.0-only", "Copyleft"),
        ("", "Unknown"),
    ],
)
def test_category_takes_the_worst_of_and_the_best_of_or(text: str, category: str) -> None:
    assert expression.category(text) == category


def test_every_category_of_the_index_has_a_rank() -> None:
    from license_expression import get_license_index

    assert {entry["category"] for entry in get_license_index()} <= set(expression.SEVERITY)


def test_equivalence_ignores_order() -> None:
    assert expression.equivalent("MIT OR ISC", "ISC OR MIT")
    assert not expression.equivalent("MIT OR ISC", "MIT AND ISC")
