"""The shortlist holds whatever a comparison with every rule ranks first."""

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from corpus.licenses.shortlist import Needs, Shortlist, _rounded

LEGAL = 8  # words below are of licensing
THRESHOLD = 0.8

words = st.sets(st.integers(0, 20), min_size=1, max_size=14)
needs = st.tuples(st.integers(1, 4), st.integers(0, 3), st.sampled_from((0.0, 0.0, 0.5, 0.8)))
rules = st.lists(st.tuples(words, needs), min_size=1, max_size=40)


def ranks(made: list[tuple[set[int], Needs]], text: set[int], resemblance: float | None) -> dict[int, tuple]:
    """Rule → its first criteria, as scancode computes them, rule by rule."""
    found = {}
    for number, (held, need) in enumerate(made):
        common, legal = len(held & text), len([word for word in held & text if word < LEGAL])
        if not legal or legal < need.legal or common < need.words:
            continue
        contained, alike = common / need.length, common / (len(text) + need.length - common)
        if (need.share and contained < need.share) or (resemblance is not None and alike < resemblance):
            continue
        found[number] = (
            round(alike, 1) >= THRESHOLD, round(contained, 1), round(alike**2, 1), round(common / 20, 1)
        )  # fmt: skip
    return found


@given(rules, words, st.integers(1, 12), st.sampled_from((None, THRESHOLD)))
def test_the_first_and_their_ties(rules, text, count, resemblance):
    made = [(held, Needs(len(held), *need)) for held, need in rules]
    shortlist = Shortlist(
        dict(enumerate(held for held, _ in made)), dict(enumerate(n for _, n in made)), LEGAL
    )
    found = shortlist.best(iter([*sorted(text), *text, -1]), count, resemblance, THRESHOLD)
    known = ranks(made, text, resemblance)
    last = sorted(known.values(), reverse=True)[:count][-1:]
    assert found == [number for number, rank in known.items() if rank >= last[0]]


def test_no_rules_and_unknown_words():
    assert Shortlist({}, {}, LEGAL).best([1, 2], 5, None, THRESHOLD) == []
    one = Shortlist({7: [1, 2]}, {7: Needs(2, 1, 1, 0.0)}, LEGAL)
    assert one.best([99], 5, None, THRESHOLD) == []
    assert one.best([1, 99], 5, None, THRESHOLD) == [7]


@given(st.lists(st.floats(0, 50), max_size=30))
@example([number / 20 for number in range(1000)])
@example([0.05, 0.15, 0.25, 0.35, 0.45, 2.675, 0.5**0.5])
def test_shares_are_rounded_as_python_does(values):
    shares = np.array(values, np.float64)
    assert _rounded(shares, lambda share: share).tolist() == [round(value, 1) for value in values]
    assert _rounded(shares, lambda share: share**2).tolist() == [round(value**2, 1) for value in values]
