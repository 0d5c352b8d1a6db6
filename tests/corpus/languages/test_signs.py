"""What a pair of bytes says of an operator is what the rules say, wherever it stands."""

from itertools import product

import pytest

from corpus.languages import layout as k
from corpus.languages.kernel import is_operand
from corpus.languages.lexemes import find_rule
from corpus.languages.syntax import compile_rules
from corpus.languages.table import LANGUAGES

CONTEXTS = list(product((b"x", b"\n", b" "), (b"", b" ", b"=", b">", b"*", b"a"), (0, 1), (0, 1)))


@pytest.mark.parametrize("name", sorted(LANGUAGES))
def test_pairs_of_bytes_and_rules_agree(name):
    rules = compile_rules(LANGUAGES[name])
    brace = rules.options[k.BRACE_IS_OPERAND]
    certain = 0
    for one, two in product(range(33, 127), repeat=2):
        sign = rules.signs[256 * one + two]
        if sign == 0 or rules.klass[one] != k.OTHER:
            continue
        certain += 1
        length = sign & k.SIGN_LENGTH
        for before, after, operand, fresh in CONTEXTS:
            text = before + bytes([one, two]) + after
            base = find_rule(
                text, 1, len(text), 0, rules.first, rules.pool, rules.rules, operand, operand, fresh
            )
            assert length == (rules.rules[base + k.LENGTH] if base >= 0 else 1), text
            assert base < 0 or rules.rules[base + k.ACTION] == k.OP, text
            said = sign & k.SIGN_VALUE > 0 or (sign & k.SIGN_SAME > 0 and operand == 1)
            assert said == bool(is_operand(text, 1, 1 + length, brace, operand)), text
    assert certain > 1000
