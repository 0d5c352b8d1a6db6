"""Lock files: one resolution, `dev.txt`; every other file is a subset of it, pin for pin and hash for hash.

    python requirements/compile.py            resolve dev.txt anew (kept pins stay), then write the subsets
    python requirements/compile.py --upgrade  the same, lifting every pin as far as pyproject.toml allows
    python requirements/compile.py --subsets  the subsets only: offline
    python requirements/compile.py --check    change nothing; fail when a subset is not what dev.txt gives

`make lock` runs the first. Resolving needs pip-compile on PATH, for example from
`python3 -m venv .cache/lock && .cache/lock/bin/pip install pip-tools`, made by the oldest Python that the
lock shall serve (Debian 12 has 3.11.2): pip-compile chooses what its own Python can run.
A subset follows the `# via` comments of dev.txt, so that it needs neither network nor environment.
No file here names a package index: pip's own configuration says where packages come from.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
PROJECT = FOLDER.parent
DEV = FOLDER / "dev.txt"

# File → the extras that it adds to the plain dependencies; `None`: the build backend alone.
SUBSETS: dict[str, tuple[str, ...] | None] = {
    "base.txt": (),
    "service.txt": ("server", "postgres", "redis"),
    "ingest.txt": ("ingest", "server", "postgres", "redis"),
    "build.txt": None,
}

_OPTIONS = [
    "--quiet",
    "--all-extras",
    "--generate-hashes",
    "--strip-extras",
    "--no-header",
    "--no-emit-options",
    "--no-emit-index-url",
    "--no-emit-find-links",
    "--no-emit-trusted-host",
]


def normalized(name: str) -> str:
    """A distribution's name as package indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def blocks(text: str) -> dict[str, str]:
    """The pin, hashes and origin of each package of a lock file: name → its lines."""
    parts = re.split(r"(?m)^(?=[A-Za-z0-9])", text)
    return {normalized(part.split("==")[0]): part for part in parts if "==" in part.split("\n")[0]}


def requirers(block: str) -> set[str]:
    """Who requires the package of a block: the names behind `# via`."""
    comments = re.findall(r"(?m)^ +# +(?:via +)?([A-Za-z0-9][\w.-]*)(?: \(pyproject\.toml\))?$", block)
    return {normalized(name) for name in comments if name != "via"}


def declared(extras: Iterable[str] | None) -> set[str]:
    """Names that pyproject.toml requires: the plain ones and those of `extras`, or the build backend's."""
    with (PROJECT / "pyproject.toml").open("rb") as file:
        project = tomllib.load(file)
    if extras is None:
        # The editable build asks hatchling for its hook's requirement, editables.
        lines = [*project["build-system"]["requires"], "editables"]
    else:
        optional = project["project"]["optional-dependencies"]
        lines = [*project["project"]["dependencies"], *(line for extra in extras for line in optional[extra])]
    return {normalized(re.split(r"[^\w.-]", line, maxsplit=1)[0]) for line in lines}


def subset(dev: str, extras: Iterable[str] | None) -> str:
    """The text of the lock file with `extras`: what is declared and all that those packages require."""
    known = blocks(dev)
    requires: dict[str, set[str]] = defaultdict(set)
    for name, block in known.items():
        for parent in requirers(block):
            requires[parent].add(name)
    chosen: set[str] = set()
    waiting = declared(extras)
    while waiting:
        name = waiting.pop()
        if name not in known:
            raise SystemExit(f"{DEV.name} does not pin {name}, which pyproject.toml requires: `make lock`")
        chosen.add(name)
        waiting |= requires[name] - chosen
    return "".join(block for name, block in known.items() if name in chosen)


def resolve(upgrade: bool) -> None:
    """Write dev.txt with pip-compile. Pins and hashes that still fit are taken from the file itself."""
    program = shutil.which("pip-compile")
    if program is None:
        raise SystemExit("pip-compile is not on PATH: `make lock` brings it")
    command = [program, *_OPTIONS, *(["--upgrade"] if upgrade else [])]
    command += ["--output-file", str(DEV.relative_to(PROJECT)), "pyproject.toml"]
    subprocess.run(command, cwd=PROJECT, check=True)


def main(arguments: list[str]) -> int:
    unknown = set(arguments) - {"--upgrade", "--subsets", "--check"}
    if unknown:
        print(__doc__, file=sys.stderr)
        return 2
    if not {"--subsets", "--check"} & set(arguments):
        resolve(upgrade="--upgrade" in arguments)
    dev = DEV.read_text(encoding="utf-8")
    status = 0
    for file, extras in SUBSETS.items():
        path, text = FOLDER / file, subset(dev, extras)
        if "--check" not in arguments:
            path.write_text(text, encoding="utf-8")
        elif not path.exists() or path.read_text(encoding="utf-8") != text:
            print(f"requirements/{file} is not the subset of dev.txt: run `make lock`", file=sys.stderr)
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
