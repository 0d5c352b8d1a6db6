"""GNU versions as sets: merging is an intersection, whatever the order."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from corpus.licenses import families

GNU_IDS = [
    f"{family}-{version}-{scope}"
    for family, versions in {"GPL": "1.0 2.0 3.0", "LGPL": "2.0 2.1 3.0", "AGPL": "1.0 3.0"}.items()
    for version in versions.split()
    for scope in ("only", "or-later")
]
ids = st.sampled_from([*GNU_IDS, "MIT", "BSD-3-Clause", "LicenseRef-Ours"])


def test_an_id_is_its_own_set() -> None:
    for name in GNU_IDS:
        known = families.gnu(name)
        assert known is not None
        assert known.spdx == name
    assert families.gnu("MIT") is None
    assert families.gnu("GFDL-1.3-no-invariants-or-later") == families.Gnu(
        "GFDL-no-invariants", "1.3", "or-later"
    )


def test_the_intersection_allows_what_both_allow() -> None:
    for one, other in itertools.product(map(families.gnu, GNU_IDS), repeat=2):
        assert one is not None
        assert other is not None
        both = families.intersect(one, other)
        allowed = one.versions & other.versions if one.family == other.family else frozenset()
        assert (both.versions if both else frozenset()) == allowed


@given(st.lists(ids, max_size=6))
def test_merging_is_idempotent_and_loses_no_family(names: list[str]) -> None:
    merged = families.merge(names)
    assert families.merge(merged) == merged
    assert len(set(merged)) == len(merged)
    assert {_family(name) for name in merged} == {_family(name) for name in names}


@given(st.permutations(["GPL-1.0-or-later", "GPL-2.0-or-later", "GPL-3.0-or-later", "MIT"]))
def test_order_does_not_matter_for_one_chain(names: list[str]) -> None:
    assert sorted(families.merge(names)) == ["GPL-3.0-or-later", "MIT"]


def test_the_most_specific_wins() -> None:
    assert families.merge(["GPL-1.0-or-later", "GPL-2.0-only"]) == ["GPL-2.0-only"]
    assert families.merge(["GPL-2.0-only", "GPL-3.0-only"]) == ["GPL-2.0-only", "GPL-3.0-only"]
    assert families.merge(["LGPL-2.0-or-later", "GPL-3.0-or-later"]) == [
        "LGPL-2.0-or-later",
        "GPL-3.0-or-later",
    ]


def test_same_version_ignores_only_and_or_later() -> None:
    assert families.same_version("GPL-3.0-only", "GPL-3.0-or-later")
    assert not families.same_version("GPL-2.0-only", "GPL-3.0-or-later")
    assert not families.same_version("GPL-3.0-only", "LGPL-3.0-only")


def _family(name: str) -> str:
    known = families.gnu(name)
    return known.family if known else name
