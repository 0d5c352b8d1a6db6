"""Reliability of chance: exponential values hold what is stated, others are seen; explained ones apart."""

import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

from bench.quality.reliability import FAMILIES, GRID, NONE, Row, counted, held_out, is_off, plot


def rows(values, told=""):
    """One function a value, of twenty packages."""
    return [
        Row(f"pkg:pypi/p{n % 20:02}", dict.fromkeys(FAMILIES, float(v)), dict.fromkeys(FAMILIES, told))
        for n, v in enumerate(values)
    ]


@pytest.mark.parametrize("seed", range(3))
def test_what_falls_exponentially_holds(seed):
    drawn = np.random.default_rng(seed).exponential(7.0, 6000)
    halves = list(held_out(rows(drawn), "copies", 1000))
    held = [h for _, half in halves for h in half]
    assert len(held) == 6000
    for stated in (0.1, 0.01, 0.001):
        reach, explained = counted(held, stated)
        assert explained == 0
        assert not is_off(reach, stated * len(held))


def test_a_half_of_another_kind_is_seen():
    rng = np.random.default_rng(1)
    values = rng.exponential(7.0, 6000)
    values[1::2] *= 3  # every second package
    held = [h for _, half in held_out(rows(values), "copies", 1000) for h in half]
    assert is_off(counted(held, 0.001)[0], 6.0)


def test_functions_without_a_match_have_no_low_chance():
    values = [*np.random.default_rng(2).exponential(7.0, 2000), *[NONE] * 2000]
    held = [h for _, half in held_out(rows(values), "copies", 1000) for h in half]
    assert counted(held, 0.5)[0] <= 2000


def test_explained_matches_are_counted_apart():
    told = "util/gh_lists.py:1-50 ~ pkg:pypi/scipy@1.17.1 tools/gh_lists.py:1-50 (literal, 90 tokens)"
    values = np.random.default_rng(4).exponential(7.0, 2000)
    held = [h for _, half in held_out(rows(values, told), "copies", 1000) for h in half]
    reach, explained = counted(held, 0.1)
    assert reach == explained > 0


@pytest.mark.parametrize(
    ("observed", "expected", "off"),
    [
        (0, 0.7, False),
        (2, 0.7, False),
        (40, 2.0, True),
        (0, 30.0, True),
        (30, 30.0, False),
        (95, 30.0, False),
    ],
)
def test_a_count_is_off_when_it_excludes_a_factor_of_three(observed, expected, off):
    assert is_off(observed, expected) is off


def test_the_plot_is_a_picture_with_both_curves():
    curves = {name: [(stated, stated) for stated in GRID] for name in FAMILIES}
    root = ElementTree.fromstring(plot(curves))
    lines = [e for e in root.iter() if e.tag.endswith("polyline")]
    assert len(lines) == 3 + len(FAMILIES)
    assert {e.text for e in root.iter() if e.tag.endswith("text")} >= set(FAMILIES)
