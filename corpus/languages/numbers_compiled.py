"""Machine code for `corpus.languages.spelling.number_value`: one text for all spellings of a number.

A decimal of up to 15 digits is as short as it can be; one of more is rounded to the nearest double, whose
shortest text is looked for: Eisel and Lemire's algorithm (D. Lemire, Number parsing at a gigabyte per second,
2021) and Schubfach (R. Giulietti, The Schubfach way to render doubles, 2020). Numbers that are rare in source
text are left to `number_value`. Called by `corpus.languages.meanings_compiled`.
"""

# The compiler knows types by inference.
# mypy: disable-error-code="no-untyped-def,misc"

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

_LEAST = -300


def _powers_of_ten() -> NDArray[np.uint64]:
    """Of each power from `_LEAST` to -`_LEAST` the 128 bits that it begins with, as two words: cut off, as
    Eisel and Lemire want them (of small negative ones rounded up), and rounded up, as Schubfach does."""
    rows = []
    for power in range(_LEAST, 1 - _LEAST):
        five = 5 ** abs(power)
        size = five.bit_length()
        if power < 0:
            cut, rest = divmod(1 << (size + 127), five)
        else:
            cut, rest = divmod(five << 128, 1 << size)
        up = cut + (rest > 0)
        first = up if -27 <= power < 0 else cut
        rows.append([word for bits in (first, up) for word in (bits >> 64, bits & (1 << 64) - 1)])
    return np.array(rows, np.uint64)


_TENS = _powers_of_ten()
_HALF = np.uint64(32)
_LOW = np.uint64(0xFFFFFFFF)
_ONE, _TWO, _FOUR, _TEN = np.uint64(1), np.uint64(2), np.uint64(4), np.uint64(10)


@njit(nogil=True)
def product(a, b):
    """The high and the low word of a · b."""
    low, high = a & _LOW, a >> _HALF
    left, right = b >> _HALF, b & _LOW
    middle = high * right + (low * right >> _HALF)
    other = low * left + (middle & _LOW)
    return high * left + (middle >> _HALF) + (other >> _HALF), a * b


@njit(nogil=True)
def nearest(whole, power):
    """The double nearest to whole · 10^power: its mantissa without the first bit, its exponent as stored."""
    shift = 0
    while not whole >> np.uint64(63):
        whole <<= _ONE
        shift += 1
    high, low = product(whole, _TENS[power - _LEAST, 0])
    if high & np.uint64(0x1FF) == np.uint64(0x1FF):
        more, _ = product(whole, _TENS[power - _LEAST, 1])
        low += more
        high += np.uint64(low < more)
    upper = high >> np.uint64(63)
    cut = upper + np.uint64(9)
    mantissa = high >> cut
    exponent = (217706 * power >> 16) + 63 + np.int64(upper) - shift + 1023
    if low <= _ONE and -4 <= power <= 23 and mantissa & np.uint64(3) == _ONE and mantissa << cut == high:
        mantissa -= _ONE  # half way between two: the even one
    mantissa = (mantissa + (mantissa & _ONE)) >> _ONE
    if mantissa >> np.uint64(53):
        mantissa >>= _ONE
        exponent += 1
    return mantissa & np.uint64((1 << 52) - 1), exponent


@njit(nogil=True)
def scaled(row, value):
    """value · the power of ten in this row, / 2^128, rounded to odd."""
    carry, _ = product(_TENS[row, 3], value)
    high, low = product(_TENS[row, 2], value)
    low += carry
    high += np.uint64(low < carry)
    return high | np.uint64(low > _ONE)


@njit(nogil=True)
def shortest_decimal(mantissa, exponent):
    """(whole, power): whole · 10^power is the shortest decimal that is nearest to this double, no power of
    two, and of such the nearest."""
    c, q = mantissa | np.uint64(1 << 52), exponent - 1075
    k = q * 1262611 >> 22
    shift, row = np.uint64(q + (-k * 1741647 >> 19) + 1), -k - _LEAST
    odd = c & _ONE
    lower = scaled(row, _FOUR * c - _TWO << shift) + odd
    middle = scaled(row, _FOUR * c << shift)
    upper = scaled(row, _FOUR * c + _TWO << shift) - odd
    s = middle >> _TWO
    short = s // _TEN
    below, above = lower <= np.uint64(40) * short, np.uint64(40) * (short + _ONE) <= upper
    if below != above:
        return short + np.uint64(above), k + 1
    below, above = lower <= _FOUR * s, _FOUR * (s + _ONE) <= upper
    if below != above:
        return s + np.uint64(above), k
    half = _FOUR * s + _TWO
    return s + np.uint64(middle > half or (middle == half and s & _ONE != 0)), k


@njit(nogil=True)
def shortest(digits, count, point):
    """The count of digits and the point of the double nearest to 0.d₁d₂… · 10^point, its digits in `digits`.
    The count is -1 where they are not known here."""
    used = min(count, 19)
    whole = np.uint64(0)
    for i in range(used):
        whole = _TEN * whole + np.uint64(digits[i] - 48)
    mantissa, exponent = nearest(whole, point - used)
    if count > used:  # the others may count
        other, its = nearest(whole + _ONE, point - used)
        if other != mantissa or its != exponent:
            return -1, 0
    if mantissa == 0:
        return -1, 0
    whole, power = shortest_decimal(mantissa, exponent)
    while whole % _TEN == 0:
        whole //= _TEN
        power += 1
    size, left = 0, whole
    while left > 0:
        size, left = size + 1, left // _TEN
    for i in range(size - 1, -1, -1):
        digits[i] = np.uint8(48) + np.uint8(whole % _TEN)
        whole //= _TEN
    return size, size + power


@njit(nogil=True)
def decimal_parts(data, first, last, digits):
    """(count of digits, point, end, state) of the number at `first`; `digits` get its significant ones.

    The value is 0.d₁d₂… · 10^point, no digit for zero. state: 0 for a whole number without point or exponent,
    1 for another, -1 for none that is read here: more digits than there is room for, or an exponent of more
    than 250.
    """
    at, point, pointed, digit, count = first, 0, False, False, 0
    while at < last:
        c = data[at]
        if c == 46 and not pointed:
            pointed = True
        elif 48 <= c <= 57:
            digit = True
            if count > 0 or c != 48:
                if count < len(digits):
                    digits[count] = c
                elif c != 48:
                    return 0, 0, at, -1
                count += 1
                point += not pointed
            else:
                point -= pointed
        else:
            break
        at += 1
    if not digit or (data[first] == 46 and not 48 <= data[first + 1] <= 57):
        return 0, 0, at, -1
    exponent, state = np.int64(0), 1 if pointed else 0
    if at + 1 < last and (data[at] | 32 == 101 or data[at] | 32 == 100 or data[at] | 32 == 102):
        sign = data[at + 1] == 43 or data[at + 1] == 45
        stop = at + 1 + sign
        while stop < last and 48 <= data[stop] <= 57 and exponent < 1000:
            exponent = 10 * exponent + np.int64(data[stop] - 48)
            stop += 1
        if stop > at + 1 + sign:
            if sign or stop - at > 2 or exponent != 0:
                state = 1
            exponent = -exponent if data[at + 1] == 45 else exponent
            at = stop
    count = min(count, len(digits))
    while count > 0 and digits[count - 1] == 48:
        count -= 1
    if not -250 < point + exponent < 250:
        return 0, 0, at, -1
    return count, point + exponent, at, state


@njit(nogil=True)
def decimal_text(digits, count, point, out):
    """Spell 0.d₁d₂… · 10^point as `number_value` does; the length, 0 where that is not known here."""
    if count == 0:
        out[0] = 48
        return 1
    size = 0
    if count <= point <= 15:
        for i in range(point):
            out[i] = digits[i] if i < count else 48
        return point
    if point == 16 or (count <= point <= 17):
        return 0
    shift = point
    if point > 16 or point <= -4:
        shift = 1
    if shift <= 0:
        out[0], out[1] = 48, 46
        size = 2
        for _ in range(-shift):
            out[size] = 48
            size += 1
    for i in range(count):
        if i == shift and i > 0:
            out[size] = 46
            size += 1
        out[size] = digits[i]
        size += 1
    if point > 16 or point <= -4:
        out[size], out[size + 1] = 101, 43 if point > 0 else 45
        size += 2
        power = abs(point - 1)
        if power >= 100:
            out[size] = 48 + power // 100
            size += 1
        out[size], out[size + 1] = 48 + power // 10 % 10, 48 + power % 10
        size += 2
    return size


@njit(nogil=True)
def value_text(data, first, last, kinds, digits, out):
    """The bytes of `number_value` in `out`; their number, 0 for what only that function reads."""
    if last - first > 64:
        return 0
    whole = True
    for at in range(first, last):
        c = data[at]
        if c == 95 and kinds and at > first:
            last = at
            break
        if c >= 128 or c == 39 or c == 95:
            return 0
        whole = whole and 48 <= c <= 57
    if whole:  # as many digits as there are
        while first < last - 1 and data[first] == 48:
            first += 1
        for at in range(first, last):
            out[at - first] = data[at]
        return last - first
    second = data[first + 1] | 32 if first + 1 < last else 0
    if data[first] == 48 and (second == 120 or second == 98 or second == 111):
        return hexadecimal_text(data, first, last, out) if second == 120 else 0
    count, point, at, state = decimal_parts(data, first, last, digits)
    if state < 0:
        return 0
    if state == 0:
        size = max(point, 1)
        out[0] = 48
        for i in range(point):
            out[i] = digits[i] if i < count else 48
    else:
        if count > 15:
            count, point = shortest(digits, count, point)
        size = decimal_text(digits, count, point, out) if count >= 0 else 0
    left = last - at
    low = data[at] | 32 if left > 0 else 0
    imaginary = low == 105 and (left == 1 or (left == 2 and data[at + 1] | 32 == 109))
    if size > 0 and (imaginary or (low == 106 and left == 1)):
        out[size] = 105
        size += 1
    return size


@njit(nogil=True)
def hexadecimal_text(data, first, last, out):
    """The same of 0x…, at most 15 digits, with suffixes u and l."""
    value, at = np.int64(0), first + 2
    while at < last and at < first + 17:
        c = data[at] | 32
        if not 48 <= data[at] <= 57 and not 97 <= c <= 102:
            break
        value = 16 * value + np.int64(c - 87 if c >= 97 else data[at] - 48)
        at += 1
    if at == first + 2:
        return 0
    while at < last and (data[at] | 32 == 117 or data[at] | 32 == 108):
        at += 1
    if at < last:
        return 0
    size, left = 1, value // 10
    while left > 0:
        size, left = size + 1, left // 10
    for i in range(size - 1, -1, -1):
        out[i] = 48 + value % 10
        value //= 10
    return size
