"""Samples of the languages, and what every scan must satisfy. Used by the tests of this folder."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from corpus.languages import LANGUAGES, Scan

HERE = Path(__file__).parent
SAMPLES = {path.stem: path.read_bytes() for path in sorted((HERE / "samples").glob("*.txt"))}
MAIN = sorted(SAMPLES)
ALL = sorted(LANGUAGES)


def spellings(text: bytes, found: Scan) -> list[str]:
    return [text[s:e].decode() for s, e in zip(found.start.tolist(), found.end.tolist(), strict=True)]


def assert_same(one: Scan, other: Scan) -> None:
    for field in Scan.__dataclass_fields__:
        np.testing.assert_array_equal(getattr(one, field), getattr(other, field), err_msg=field)
        assert getattr(one, field).dtype == getattr(other, field).dtype


def assert_sound(text: bytes, found: Scan) -> None:
    """Spans ascend, never overlap, and stay inside the text; lines agree with the line breaks before them."""
    assert (found.start < found.end).all()
    spans = np.sort(np.concatenate((np.stack((found.start, found.end), 1), found.comments[:, :2])), axis=0)
    assert (spans[:-1, 1] <= spans[1:, 0]).all()
    assert not len(spans) or (spans[0, 0] >= 0 and spans[-1, 1] <= len(text))
    breaks = np.array([match.end() for match in re.finditer(rb"\r\n|\r|\n", text)], int)
    np.testing.assert_array_equal(found.line, 1 + np.searchsorted(breaks, found.start, side="right"))
