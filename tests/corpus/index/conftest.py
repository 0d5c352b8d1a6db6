"""Fixtures of the index tests."""

import os

import pytest


@pytest.fixture(scope="module")
def careless_disk():
    """No fsync: for tests of contents, which write many small folders and survive no power cut."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda descriptor: None)
        yield
