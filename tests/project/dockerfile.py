"""Reads the Dockerfile and runs a target's steps without an engine, under a folder that stands for its root.

Absolute paths of the image are moved under that folder; the stages of one target share it. What a container
isolates is not shown here; that each step works, in order, from the locked files alone, is.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

ROOTS = re.compile(r"(?<![\w./-])/(?=(?:opt|src|wheels|requirements|tmp|var/lib/whence)\b)")


@dataclass
class Stage:
    """One FROM: its name, what it starts from, and its instructions in order."""

    name: str
    parent: str
    steps: list[tuple[str, str]] = field(default_factory=list)

    def values(self, instruction: str) -> list[str]:
        return [value for name, value in self.steps if name == instruction]


def stages(text: str) -> dict[str, Stage]:
    """Stages by name, in the order of the file. Knows what ours uses: no heredocs, no escape directive."""
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    found: dict[str, Stage] = {}
    current: Stage | None = None
    for step in re.split(r"(?<!\\)\n", "\n".join(lines)):
        instruction, _, value = re.sub(r"\\\n\s*", "", step).partition(" ")
        if instruction == "FROM":
            parent, _, name = value.partition(" AS ")
            current = found[name] = Stage(name, parent)
        elif current is not None:
            current.steps.append((instruction, value))
    return found


def order(found: dict[str, Stage], target: str) -> list[Stage]:
    """The stages that a target needs, each after those that it starts from or copies from."""
    stage = found[target]
    copied = re.findall(r"--from=(\S+)", "\n".join(stage.values("COPY")))
    result: list[Stage] = []
    for name in (stage.parent, *copied):
        for needed in order(found, name) if name in found else []:
            if needed not in result:
                result.append(needed)
    return [*result, stage]


class Build:
    """Runs stages under `root`, with the files of `context`."""

    def __init__(self, context: Path, root: Path) -> None:
        self.context, self.root = context, root
        self.environment: dict[str, str] = {}
        self.folder = root
        for name in ("bin", "tmp", "opt", "var/lib"):
            (root / name).mkdir(parents=True)
        # The base image's `python`.
        (root / "bin" / "python").symlink_to(Path(sys.base_prefix) / "bin" / f"python{sys.version_info[0]}")

    def moved(self, text: str) -> str:
        """`text` with the paths and the user of the image replaced by those of this run."""
        text = ROOTS.sub(f"{self.root}/", text)
        return text.replace("-o 10001 -g 10001", f"-o {os.getuid()} -g {os.getgid()}")

    def run(self, command: str | list[str]) -> subprocess.CompletedProcess[str]:
        """A command as the image would run it; of the caller's environment it sees pip's settings only."""
        passed = {
            name: value
            for name, value in os.environ.items()
            if name.startswith(("PIP_", "SSL_")) or name.lower().endswith("_proxy")
        }
        base = {"PATH": f"{self.root}/bin:/usr/bin:/bin", "HOME": f"{self.root}/tmp"}
        environment = {**base, **passed, **self.environment}
        return subprocess.run(
            command if isinstance(command, list) else ["/bin/sh", "-c", command],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=1200,
        )

    def copy(self, value: str) -> None:
        *sources, target = value.split()
        if sources[0].startswith("--from="):
            # Stages share the root: what is copied must be there, and an environment must not move.
            assert sources[1:] == [target], f"COPY {value}: an environment works only where it was made"
            assert Path(self.moved(target)).exists(), f"COPY {value}: nothing is there"
            return
        for source in sources:
            origin = self.context / source
            place = self.folder / self.moved(target)
            if origin.is_dir():
                shutil.copytree(origin, place, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                place = place / origin.name if target.endswith("/") else place
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(origin, place)

    def step(self, instruction: str, value: str) -> None:
        if instruction == "COPY":
            self.copy(value)
        elif instruction == "RUN":
            done = self.run(self.moved(value))
            assert done.returncode == 0, f"RUN {value}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
        elif instruction == "WORKDIR":
            self.folder = Path(self.moved(value))
            self.folder.mkdir(parents=True, exist_ok=True)
        elif instruction == "ENV":
            pairs = (pair.partition("=") for pair in value.split())
            self.environment |= {name: self.moved(text) for name, _, text in pairs}
        else:
            described = {"LABEL", "VOLUME", "USER", "EXPOSE", "ENTRYPOINT", "CMD", "HEALTHCHECK"}
            assert instruction in described, instruction

    def build(self, found: dict[str, Stage], target: str) -> None:
        """Runs the stages of `target`; leaves its environment and working folder for `run`."""
        left: dict[str, tuple[dict[str, str], Path]] = {}
        for stage in order(found, target):
            environment, self.folder = left.get(stage.parent, ({}, self.root))
            self.environment = dict(environment)
            for instruction, value in stage.steps:
                self.step(instruction, value)
            left[stage.name] = self.environment, self.folder


def words(value: str) -> list[str]:
    """An ENTRYPOINT, CMD or HEALTHCHECK … CMD in its JSON form."""
    return [str(word) for word in json.loads(value[value.index("[") :])]
