"""Both ways to score pairs of elements are their definition."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.fingerprint.features import Elements
from corpus.fingerprint.words import MOST_PARTS
from corpus.languages.neutral import Symbol
from corpus.pair_scores import MAX_API_WORD, MAX_VALUE, MAX_WORD, MISMATCH, UNKNOWN_NAME, pair_scores, weighed

KEYS = 6
SYMBOLS = (Symbol.NAME, Symbol.NUMBER, Symbol.STRING, Symbol.ADD, Symbol.IF)
ELEMENT = st.tuples(
    st.sampled_from(SYMBOLS), st.lists(st.integers(1, KEYS), max_size=MOST_PARTS, unique=True)
)


def elements_of(rows):
    keys = np.zeros((len(rows), MOST_PARTS), np.uint64)
    for at, (symbol, own) in enumerate(rows):
        if symbol in (Symbol.NAME, Symbol.NUMBER, Symbol.STRING):
            own = own[:1] if symbol == Symbol.NUMBER else own
            keys[at, : len(own)] = own
    return Elements(np.arange(len(rows)), np.array([s for s, _ in rows], np.uint16), keys)


def defined(mine, theirs, bits, api):
    out = np.full((len(mine.at), len(theirs.at)), MISMATCH)
    for i, symbol in enumerate(mine.symbol):
        for j, other in enumerate(theirs.symbol):
            if symbol != other:
                continue
            shared = set(mine.keys[i].tolist()) & set(theirs.keys[j].tolist()) - {0}
            cap = MAX_VALUE if symbol == Symbol.NUMBER else MAX_API_WORD if api[i] else MAX_WORD
            best = max((max(UNKNOWN_NAME, min(cap, int(bits[k - 1] * 100))) for k in shared), default=None)
            plain = {Symbol.NUMBER: MISMATCH, Symbol.ADD: 110, Symbol.IF: 110}.get(symbol, UNKNOWN_NAME)
            out[i, j] = plain if best is None else max(plain, best)
    return out


@settings(deadline=None)  # the first call compiles
@given(
    st.lists(ELEMENT, max_size=12),
    st.lists(ELEMENT, max_size=12),
    st.lists(st.floats(0, 20), min_size=KEYS, max_size=KEYS),
    st.lists(st.booleans(), min_size=12, max_size=12),
)
def test_both_ways_are_the_definition(left, right, bits, api):
    mine, theirs, bits = elements_of(left), elements_of(right), np.array(bits)
    ready = weighed(mine, np.arange(1, KEYS + 1, dtype=np.uint64), bits, np.array(api[: len(left)], bool))
    want = defined(mine, theirs, bits, api).tolist()
    assert pair_scores(ready, theirs).tolist() == want
    assert pair_scores(ready, theirs, compiled=True).tolist() == want


def test_a_part_keeps_worth_and_elements_together():
    mine = elements_of([(Symbol.NAME, [n % KEYS + 1]) for n in range(20)])
    ready = weighed(
        mine, np.arange(1, KEYS + 1, dtype=np.uint64), np.arange(1.0, KEYS + 1), np.zeros(20, bool)
    )
    part = ready.part(5, 15, 4)
    assert part.elements.at.tolist() == [5, 6, 7, 8]
    assert part.value.tolist() == ready.value[5:9].tolist()
