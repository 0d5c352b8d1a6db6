"""The algorithm layer: a port to another language is ranked first, glue and background are no findings."""

from dataclasses import replace

import pytest

from corpus.derived import derived, region_of, speakers
from corpus.disguise import Part
from corpus.fingerprint.words import parts
from corpus.match import match
from corpus.matches import Match, Origin, absorb, is_alert, one_of_each, select
from corpus.model import ChangedFile, Region
from corpus.params import DEFAULT
from corpus.query import make_query
from tests.small_corpus import GPL, MIT, add_release, sample_corpus

ORIGIN = b"""\
/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <math.h>

static const double glow_table[6] = { 0.1875, 2.71e-4, 41.5, 0.0625, 17.25, 3.5e-7 };

double glow_decay(double dose, int steps)
{
    double lantern = 0.3141, wick = dose * 0.0729;
    int k;
    if (dose <= 0.0 || steps < 3)
        return -1.0;
    for (k = 0; k < steps; k++) {
        double flicker = sqrt(lantern * lantern + 0.0081) - wick / (k + 1.25);
        if (flicker < 1.7e-5)
            break;
        lantern += 0.4375 * flicker * exp(-0.219 * k);
        wick *= 0.9583;
    }
    return lantern * glow_table[steps % 6] + wick * wick / 6.5;
}
"""

PORT = """\
import numpy as np

_LUSTRE = np.array([0.1875, 2.71e-4, 41.5, 0.0625, 17.25, 3.5e-7])


def lamp_fading(amount, rounds):
    \"\"\"How bright the lamp still is.\"\"\"
    if amount <= 0 or rounds < 3:
        return -1.0
    brightness = 0.3141
    fuel = amount * 0.0729
    for n in range(rounds):
        delta = np.sqrt(brightness ** 2 + 0.0081) - fuel / (n + 1.25)
        if delta < 1.7e-5:
            break
        brightness = brightness + 0.4375 * delta * np.exp(-0.219 * n)
        fuel = fuel * 0.9583
    return brightness * _LUSTRE[rounds % 6] + fuel ** 2 / 6.5
"""

JULIA = """\
function lamp_fading(amount, rounds)
    brightness = 0.3141
    wick = amount * 0.0729
    for n in 1:rounds
        delta = sqrt(brightness ^ 2 + 0.0081) - wick / (n + 1.25)
        if delta < 1.7e-5
            break
        end
        brightness += 0.4375 * delta * exp(-0.219 * n)
        wick *= 0.9583
    end
    return brightness + wick ^ 2 / 6.5
end
"""

GLUE = """\
import argparse
import sys


def main(argv=None):
    parser = argparse.ArgumentParser(description="convert files")
    parser.add_argument("input", help="file to read")
    parser.add_argument("--output", default="-", help="file to write")
    parser.add_argument("--verbose", action="store_true")
    options = parser.parse_args(argv)
    if options.verbose:
        print("reading", options.input, file=sys.stderr)
    with open(options.input, encoding="utf-8") as stream:
        text = stream.read()
    sys.stdout.write(text)
    return 0
"""


def query_of(path, text, language):
    lines = tuple(text.encode().splitlines())
    return make_query(ChangedFile(path, (Region(1, lines, (True,) * len(lines)),)), language)


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    catalog = sample_corpus(tmp_path_factory.mktemp("derived"))
    add_release(catalog, "pkg:generic/glow@3.1", {"src/glow.c": ORIGIN}, GPL)
    catalog.build()
    return catalog.open()


def test_a_port_is_ranked_first_with_its_lines(index):
    found = derived(query_of("lamp.py", PORT, "python"), index)
    best = found[0]
    assert best.origin.purl == "pkg:generic/glow@3.1"
    assert best.origin.license == "GPL-3.0-or-later"
    assert best.evidence.kind == "translated"
    assert 3 <= best.start_line <= 10
    assert best.end_line == 18
    pairs = dict(best.evidence.line_pairs)
    assert pairs[13] == 13  # the line with sqrt
    assert pairs[18] == 19  # the result
    assert best.evidence.terms["values"] > 0
    assert best.strength > max((m.strength for m in found[1:]), default=-9.0)


def test_glue_is_no_alert(index):
    assert [m for m in match(query_of("cli.py", GLUE, "python"), index, DEFAULT) if is_alert(m)] == []


def test_background_is_never_an_origin_of_a_port(tmp_path):
    catalog = sample_corpus(tmp_path)
    add_release(catalog, "pkg:generic/glow@3.1", {"src/glow.c": ORIGIN}, MIT, background=True)
    catalog.build()
    found = derived(query_of("lamp.py", PORT, "python"), catalog.open())
    assert all(not m.origin.background for m in found)


def test_names_that_agree_and_what_agrees_with_no_other_origin_are_terms(index):
    best = derived(query_of("lamp.py", PORT, "python"), index)[0]
    assert best.evidence.terms["renaming"] > 5  # lantern is brightness, wick is fuel, flicker is delta
    assert best.evidence.terms["apart"] > 30
    confused = PORT.replace("brightness ** 2", "fuel ** 2").replace("- fuel /", "- delta /")
    other = derived(query_of("lamp.py", confused, "python"), index)[0]
    assert other.evidence.terms["renaming"] < best.evidence.terms["renaming"]


def test_different_rare_numbers_and_what_both_spell_are_terms(index):
    terms = derived(query_of("lamp.py", PORT, "python"), index)[0].evidence.terms
    assert terms["numbers"] >= 10  # of the constants, each once
    assert 0.3 < terms["resemblance"] <= 1.0
    plain = PORT
    for number in ("0.3141", "0.0729", "0.0081", "0.4375", "0.219", "0.9583", "1.7e-5"):
        plain = plain.replace(number, "2")
    fewer = derived(query_of("lamp.py", plain, "python"), index)[0].evidence.terms
    assert fewer["numbers"] < terms["numbers"]
    assert fewer["resemblance"] < terms["resemblance"]


def test_names_of_an_api_that_agree_are_told(index):
    found = derived(query_of("lamp.py", PORT, "python"), index)[0]
    told = [d for d in found.evidence.discounts if d.startswith("api: ")]
    assert told == []  # sqrt, exp and range are three of many
    called = PORT.replace("brightness = brightness +", "brightness = np.add(brightness, 0) +")
    for name in ("brightness", "fuel", "delta", "amount"):
        called = called.replace(name, f"np.{name}")
    found = derived(query_of("lamp.py", called, "python"), index)[0]
    assert [d for d in found.evidence.discounts if d.startswith("api: ")]


def test_what_else_the_change_speaks_of_takes_resemblance_away(index):
    foreign = PORT.replace(
        "brightness = 0.3141", "brightness = 0.3141; parcel_weight = amount * 88.125 + 731.5"
    )
    terms = [derived(query_of("lamp.py", t, "python"), index)[0].evidence.terms for t in (PORT, foreign)]
    assert terms[1]["resemblance"] < terms[0]["resemblance"]


def test_a_permissive_copy_of_the_origin_is_named(tmp_path):
    catalog = sample_corpus(tmp_path)
    add_release(catalog, "pkg:generic/glow@3.1", {"src/glow.c": ORIGIN}, GPL)
    add_release(catalog, "pkg:generic/freeglow@1", {"glow.c": ORIGIN}, MIT, background=True)
    catalog.build()
    best = derived(query_of("lamp.py", PORT, "python"), catalog.open())[0]
    assert best.origin.purl == "pkg:generic/glow@3.1"
    assert [(o.purl, o.license, o.background) for o, _ in best.also] == [
        ("pkg:generic/freeglow@1", "MIT", True)
    ]


def test_what_others_share_is_a_discount(index, tmp_path):
    alone = derived(query_of("lamp.py", PORT, "python"), index)[0]
    assert not any("shared" in told for told in alone.evidence.discounts)
    catalog = sample_corpus(tmp_path)
    add_release(catalog, "pkg:generic/glow@3.1", {"src/glow.c": ORIGIN}, GPL)
    for number in range(2):
        add_release(catalog, f"pkg:generic/other{number}@1", {"a.jl": JULIA.encode()}, MIT)
    catalog.build()
    found = derived(query_of("lamp.py", PORT, "python"), catalog.open())
    shared = next(m for m in found if m.origin.purl == alone.origin.purl)
    assert "shared: 2 other packages agree in half of this or more" in shared.evidence.discounts
    assert shared.strength < alone.strength


def test_alone_in_its_language_an_origin_stands_lower(tmp_path):
    """What marks a language looks like the only release's own where nothing else is written in it."""
    found = {}
    for alone in (True, False):
        catalog = sample_corpus(tmp_path / str(alone))
        add_release(catalog, "pkg:generic/lamp@1", {"lamp.jl": JULIA.encode()}, GPL)
        if not alone:
            other = JULIA.replace("0.4375", "0.611").replace("0.219", "0.7").replace("fading", "rising")
            add_release(catalog, "pkg:generic/dusk@1", {"dusk.jl": other.encode()}, MIT)
        catalog.build()
        query = query_of("new.jl", JULIA.replace("wick", "cord").replace("1:rounds", "0:rounds"), "julia")
        ranked = derived(query, catalog.open())
        found[alone] = next(m for m in ranked if m.origin.purl == "pkg:generic/lamp@1")
    told = {alone: " ".join(match.evidence.discounts) for alone, match in found.items()}
    assert "nothing else in julia" in told[True]
    assert "nothing else in julia" not in told[False]


def test_in_a_language_of_which_little_is_indexed_an_origin_stands_lower(tmp_path):
    found = {}
    for packages in (2, 3):
        catalog = sample_corpus(tmp_path / str(packages))
        add_release(catalog, "pkg:generic/glow@3.1", {"src/glow.c": ORIGIN}, GPL)
        for number in range(packages):
            files = {f"f{n}.jl": f"f{n}(x) = x + {n}{number}\n".encode() for n in range(10)}
            add_release(catalog, f"pkg:generic/julian{number}@1", files, MIT)
        catalog.build()
        index = catalog.open()
        assert speakers(index, "julia") == packages
        assert speakers(index, "julia", lambda purl: "julian0" not in purl) == packages - 1
        found[packages] = derived(query_of("new.jl", JULIA, "julia"), index)[0]
    assert found[3].standing - found[2].standing > 0.5
    assert any("little julia" in told for told in found[2].evidence.discounts)
    assert not any("little julia" in told for told in found[3].evidence.discounts)


def test_a_port_that_keeps_some_lines_is_one_finding(index):
    ported = derived(query_of("lamp.py", PORT, "python"), index)[0]
    assert is_alert(ported)
    copy = replace(ported, start_line=8, end_line=11, standing=None)
    elsewhere = replace(copy, origin=replace(copy.origin, ref=(0, 99)))
    large = replace(copy, start_line=ported.start_line, end_line=ported.end_line)
    assert absorb([ported], [copy]) == ([ported], [])
    assert absorb([ported], [elsewhere]) == ([ported], [elsewhere])
    assert absorb([ported], [large]) == ([ported], [large])


def test_what_a_copy_explains_is_not_searched_again(index):
    assert derived(query_of("lamp.py", PORT, "python"), index, explained=[(1, 18)]) == []


def test_parts_join_only_when_near_on_both_sides():
    import numpy as np

    lines = np.arange(1000)
    origin = np.arange(5000)

    def part(left, right, bits):
        return Part(bits, np.array([left, left + 5]), np.array([right, right + 5]), np.array([3.0, 3.0]))

    best, near, far_here, far_there = (
        part(100, 100, 50),
        part(112, 300, 20),
        part(200, 120, 20),
        part(90, 4000, 20),
    )
    taken = region_of(sorted([best, near, far_here, far_there], key=lambda p: p.left[0]), lines, origin)
    assert [p.bits for p in taken] == [50, 20]
    assert taken[1].left[0] == 112


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("gsl_sf_hzeta_e", ("gsl", "sf", "hzeta")),
        ("maxIterations", ("max", "iteration")),
        ("HTTPServer2", ("http", "server")),
        ("fabs", ("abs",)),
        ("x", ()),
        ("i2c", ()),
        ("push_back", ("append",)),
    ],
)
def test_sub_words(name, words):
    assert parts(name) == words


def test_each_licence_has_its_turn_among_the_other_origins(index):
    def copy(number, license):
        origin = Origin((number, 0), f"pkg:generic/c{number}@1", False, 1, 9, license)
        return Match("a.c", 1, 9, origin, evidence)

    evidence = derived(query_of("lamp.py", PORT, "python"), index)[0].evidence
    copies = [copy(n, "MIT") for n in range(40)] + [copy(40, "GPL-3.0-only")]
    (kept,) = select(copies)
    assert len(kept.also) == 10
    assert "GPL-3.0-only" in {origin.license for origin, _ in kept.also}
    assert one_of_each(["a1", "a2", "b1"], lambda item: item[0]) == ["a1", "b1", "a2"]
