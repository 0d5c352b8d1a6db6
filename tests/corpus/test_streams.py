"""gzip is read alike whichever library inflates it."""

from __future__ import annotations

import gzip
import io
import zlib
from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from isal import isal_zlib

from corpus.archive import streams
from corpus.archive.limits import Account, ArchiveLimits, Stop

BASE = b"".join(b"double half_%d(double x) { return x / %d; }\n" % (n, n) for n in range(1, 20_000))


def read_all(library: ModuleType, data: bytes, monkeypatch: pytest.MonkeyPatch) -> bytes | None:
    """The whole content, or None where the stream is not whole."""
    monkeypatch.setattr(streams, "deflate", library)
    monkeypatch.setattr(streams, "_DAMAGE", (library.error, *streams._DAMAGE[1:]))
    try:
        return streams.Stream(io.BytesIO(data), Account(ArchiveLimits())).read(1 << 30)
    except Stop:
        return None


@settings(deadline=None, max_examples=150)
@given(
    members=st.lists(st.integers(0, len(BASE)), min_size=1, max_size=3),
    tail=st.sampled_from((b"", b"\0" * 600, b"no gzip", b"\x1f\x8b")),
    changes=st.lists(st.tuples(st.floats(0, 1), st.integers(1, 255)), max_size=2),
    cut=st.one_of(st.none(), st.floats(0, 1)),
)
def test_both_libraries_read_the_same(
    members: list[int], tail: bytes, changes: list[tuple[float, int]], cut: float | None
) -> None:
    data = bytearray(b"".join(gzip.compress(BASE[:size], 1) for size in members) + tail)
    for place, bits in changes:
        data[int(place * (len(data) - 1))] ^= bits
    if cut is not None:
        del data[int(cut * len(data)) :]
    if data[:2] != b"\x1f\x8b":
        return
    with pytest.MonkeyPatch.context() as patch:
        plain, fast = (read_all(library, bytes(data), patch) for library in (zlib, isal_zlib))
    assert plain == fast


def test_the_faster_library_is_used() -> None:
    assert streams.deflate is isal_zlib
