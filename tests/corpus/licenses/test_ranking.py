"""The ranking is that of a comparison with every rule, one after the other."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from corpus.licenses.ranking import Ranking, Rule
from corpus.licenses.shortlist import Needs

LEGAL = 8  # words below are of licensing
THRESHOLD = 0.8

words = st.lists(st.integers(0, 20), min_size=1, max_size=20)
needs = st.tuples(st.integers(0, 4), st.integers(0, 3), st.sampled_from((0.0, 0.0, 0.5, 0.8)))
rules = st.lists(st.tuples(words, needs, st.sampled_from("ab")), min_size=1, max_size=60)


def made(rows: list) -> dict[int, Rule]:
    return {
        3 * number: Rule(
            Counter(held), Needs(len(set(held)), *need), Needs(len(held), *need), says, f"{says}_{number % 7}"
        )
        for number, (held, need, says) in enumerate(rows)
    }


def score(rule: Rule, need: Needs, text: Counter, resemblance: float | None) -> tuple | None:
    common = text & (rule.words if need is rule.every else Counter(set(rule.words)))
    legal = sum(times for word, times in common.items() if word < LEGAL)
    matched = common.total()
    if not legal or legal < need.legal or matched < need.words:
        return None
    contained, alike = matched / need.length, matched / (text.total() + need.length - matched)
    if (need.share and contained < need.share) or (resemblance is not None and alike < resemblance):
        return None
    first = round(alike, 1) >= THRESHOLD, round(contained, 1), round(alike**2, 1), round(matched / 20, 1)
    return first, (alike >= THRESHOLD, contained, alike**2, matched)


def one_by_one(made: dict[int, Rule], text: list[int], top: int, resemblance: float | None) -> list[int]:
    distinct, every = Counter(set(text)), Counter(text)
    first = [(score(rule, rule.distinct, distinct, resemblance), n) for n, rule in made.items()]
    able = [n for _, n in sorted((pair for pair in first if pair[0]), reverse=True)[: 10 * top]]
    again = [(score(made[n], made[n].every, every, resemblance), n) for n in able]
    groups: dict[tuple, list] = {}
    for found, n in again:
        if found:
            alike = made[n].expression, found[0], made[n].every.length
            groups.setdefault(alike, []).append((found[1], made[n].name, n, found))
    kept = [max(group) for group in groups.values()]
    return [n for _, n in sorted(((found, n) for _, _, n, found in kept), reverse=True)][:top]


@given(rules, words, st.integers(1, 4), st.sampled_from((None, THRESHOLD)))
def test_the_same_rules_in_the_same_order(rows, text, top, resemblance):
    known = made(rows)
    found = Ranking(known, LEGAL).best(iter([*text, -1, -1]), top, resemblance, THRESHOLD)
    assert found == one_by_one(known, text, top, resemblance)


def test_no_rules_and_unknown_words():
    assert Ranking({}, LEGAL).best([1, 2], 5, None, THRESHOLD) == []
    assert Ranking(made([([1, 2], (1, 1, 0.0), "a")]), LEGAL).best([99], 5, None, THRESHOLD) == []
    assert Ranking(made([([1, 2], (1, 1, 0.0), "a")]), LEGAL).best([1, 99], 5, None, THRESHOLD) == [0]
