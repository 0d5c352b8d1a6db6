"""Resemblance of spelled words and numbers: a weighted Jaccard without what only names of an API spell."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.fingerprint.features import Elements
from corpus.languages.neutral import Symbol
from corpus.resemblance import Spelling, spelled

KEYS = 9
WORDS = st.lists(st.lists(st.integers(0, KEYS), min_size=1, max_size=2), max_size=10)
BITS = np.arange(1.0, KEYS + 1)


def elements_of(words):
    keys = np.zeros((len(words), 2), np.uint64)
    for row, some in enumerate(words):
        keys[row, : len(some)] = some
    return Elements(np.arange(len(words)), np.full(len(words), Symbol.NAME, np.uint16), keys)


def resemblance(mine, theirs, api=None):
    made, other = elements_of(mine), elements_of(theirs)
    asked = []

    def rarity(keys):
        asked.append(keys.tolist())
        return BITS[keys.astype(int) - 1]

    known = spelled([made])
    used = np.zeros(len(mine), bool) if api is None else np.array(api, bool)
    spelling = Spelling(made, used, known, BITS[known.astype(int) - 1], rarity)
    spelling.learn([other])
    assert all(set(keys).isdisjoint(known.tolist()) for keys in asked)
    return spelling.resemblance(0, len(mine), [other])


def bits(words):
    return sum(BITS[key - 1] for key in words)


@given(WORDS, WORDS)
def test_it_is_what_both_say_of_what_either_says(mine, theirs):
    left, right = ({key for some in words for key in some if key} for words in (mine, theirs))
    wanted = (1 + bits(left & right)) / (1 + bits(left | right))
    assert resemblance(mine, theirs) == pytest.approx(wanted)
    assert resemblance(theirs, mine) == pytest.approx(wanted)


@given(WORDS, WORDS, st.lists(st.booleans(), min_size=10, max_size=10))
def test_what_only_an_api_spells_counts_on_neither_side(mine, theirs, api):
    api = api[: len(mine)]
    own = {key for some, used in zip(mine, api, strict=True) if not used for key in some if key}
    only = {key for some, used in zip(mine, api, strict=True) if used for key in some} - own
    other = {key for some in theirs for key in some if key} - only
    wanted = (1 + bits(own & other)) / (1 + bits(own | other))
    assert resemblance(mine, theirs, api) == pytest.approx(wanted)


def test_only_the_asked_range_counts():
    made = elements_of([[1], [2], [3]])
    spelling = Spelling(made, np.zeros(3, bool), spelled([made]), BITS[:3], lambda keys: BITS[: len(keys)])
    assert spelling.resemblance(1, 2, [elements_of([[2]])]) == 1.0
    assert spelling.resemblance(0, 2, [elements_of([[2]])]) == pytest.approx(3 / 4)
