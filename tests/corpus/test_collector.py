"""The collector is held back while anybody works on a release, and as before afterwards."""

from __future__ import annotations

import gc
import threading

import pytest

from corpus.collector import SELDOM, held_back


def test_the_last_to_leave_restores_what_was() -> None:
    before = gc.get_threshold()
    entered, leave = threading.Event(), threading.Event()

    def other() -> None:
        with held_back():
            entered.set()
            leave.wait()

    thread = threading.Thread(target=other)
    with held_back():
        thread.start()
        entered.wait()
        assert gc.get_threshold() == SELDOM
    assert gc.get_threshold() == SELDOM
    leave.set()
    thread.join()
    assert gc.get_threshold() == before


def test_a_failure_restores_it_too() -> None:
    before = gc.get_threshold()
    with pytest.raises(RuntimeError), held_back():
        raise RuntimeError
    assert gc.get_threshold() == before
