"""The real command over a small corpus of our own, indexed once by the real pipeline; no network."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from app.cli.main import run

GRID = '''# Copyright (C) 2019 Ada Example <ada@example.org>
# Copyright 2021, The Grid Authors. All rights reserved.
# SPDX-License-Identifier: MIT
"""Walks over a hexagonal grid."""


def spiral_cells(centre, radius, visit):
    """Visit the cells of a hexagonal spiral."""
    column, row = centre
    visited = [(column, row)]
    for ring in range(1, radius + 1):
        column, row = column - 1, row + 1
        for direction, step in enumerate(((1, 0), (1, -1), (0, -1), (-1, 0), (-1, 1), (0, 1))):
            for position in range(ring):
                if visit(column, row, ring, direction) is False:
                    return visited
                visited.append((column, row))
                column, row = column + step[0], row + step[1]
                if len(visited) > 6 * radius * (radius + 1) + 1:
                    raise RuntimeError("the spiral is longer than its cells: %d" % len(visited))
    return visited
'''
TIDES = '''# Copyright (C) 2015 Bo Sample
# SPDX-License-Identifier: GPL-3.0-or-later
"""Harmonic tides."""
import math


def tide_height(constituents, hours, latitude):
    """Sum the constituents of a tide at some hours."""
    heights = []
    for hour in hours:
        total = 0.0
        for name, amplitude, speed, phase in constituents:
            node = 1.0 - 0.037 * math.cos(math.radians(125.04 - 0.0529 * hour))
            if name.startswith("K"):
                node = 1.006 + 0.115 * math.cos(math.radians(125.04 - 0.0529 * hour))
            angle = math.radians(speed * hour - phase + 2.0 * latitude)
            total += node * amplitude * math.cos(angle)
        if total < -12.5 or total > 12.5:
            raise ValueError(f"height {total} at hour {hour} is out of range")
        heights.append(round(total, 4))
    return heights
'''
DIALS = """/* Copyright (C) 2011 Cy Maker
   SPDX-License-Identifier: GPL-2.0-only */
#include <math.h>

double dial_angle(double latitude, double hour, int northern)
{
    double slope, shade, corrected = hour - 12.0;
    if (!northern) corrected = -corrected;
    slope = sin(latitude * 3.14159265 / 180.0);
    shade = tan(corrected * 15.0 * 3.14159265 / 180.0) * slope;
    while (shade > 1.0e6) shade = shade / 2.0 + slope;
    if (corrected > 6.0 || corrected < -6.0) return 180.0 + atan(shade) * 57.29578;
    return atan(shade) * 57.29578;
}
"""
HONEST = '''def greet(name):
    """Say hello."""
    return f"hello {name}"
'''


def body(text: str, first: str) -> str:
    """The code of a text from the line that begins with `first` on."""
    return text[text.index(first) :]


WALK, SEA, DIAL = body(GRID, "def spiral"), body(TIDES, "def tide"), body(DIALS, "double dial")


class Ran(NamedTuple):
    """How a command ended and what it printed."""

    code: int
    out: str
    err: str


Whence = Callable[..., Ran]


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with one published release of three files, MIT and GPL."""
    folder = tmp_path_factory.mktemp("corpus")
    release = folder / "almanac"
    release.mkdir()
    (release / "grid.py").write_text(GRID)
    (release / "tides.py").write_text(TIDES)
    (release / "dials.c").write_text(DIALS)
    command = [sys.executable, "-c", "from app.cli.main import run; run()", "corpus", "add", str(release)]
    done = subprocess.run(
        [*command, "-j", "1", "--data", str(folder / "data")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return folder / "data"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty project, the current folder."""
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def whence(
    corpus: Path, project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Whence:
    """Runs the command in the project, over the corpus unless `data` names another folder."""

    def call(*arguments: str | Path, data: Path | None = None) -> Ran:
        monkeypatch.setenv("WHENCE_DATA_DIR", str(data or corpus))
        monkeypatch.setattr(sys, "argv", ["whence", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            run()
        printed = capsys.readouterr()
        code = ended.value.code
        return Ran(code if isinstance(code, int) else 0, printed.out, printed.err)

    return call


def git(folder: Path, *arguments: str) -> str:
    """Git with an identity of its own and no configuration from outside."""
    environment = {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "HOME": str(folder),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_AUTHOR_NAME": "Ada",
        "GIT_AUTHOR_EMAIL": "ada@example.org",
        "GIT_COMMITTER_NAME": "Ada",
        "GIT_COMMITTER_EMAIL": "ada@example.org",
    }
    done = subprocess.run(
        ["git", *arguments], cwd=folder, capture_output=True, text=True, check=True, env=environment
    )
    return done.stdout


def new_file(path: str, text: str) -> str:
    """A diff that adds a file."""
    lines = text.splitlines()
    added = "".join(f"+{line}\n" for line in lines)
    head = f"diff --git a/{path} b/{path}\nnew file mode 100644\n--- /dev/null\n+++ b/{path}\n"
    return f"{head}@@ -0,0 +1,{len(lines)} @@\n{added}"
