"""The images: what the Dockerfile promises, and its steps run in order without an engine."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.project.dockerfile import Build, Stage, order, stages, words

TARGETS = ["service", "ingest"]


@pytest.fixture(scope="module")
def recipe(project: Path) -> dict[str, Stage]:
    return stages((project / "Dockerfile").read_text("utf-8"))


def final(recipe: dict[str, Stage], target: str) -> list[Stage]:
    """The stages whose steps end up in the image: the target and what it starts from, base first."""
    chain = [recipe[target]]
    while chain[0].parent in recipe:
        chain.insert(0, recipe[chain[0].parent])
    return chain


def last(recipe: dict[str, Stage], target: str, instruction: str) -> str:
    return [value for stage in final(recipe, target) for value in stage.values(instruction)][-1]


def test_the_reader_knows_stages_continuations_and_their_order() -> None:
    one = "# c\nARG B=x\nFROM a AS one\nRUN x \\\n    && y\n\n"
    two = "FROM a AS two\n# c\nCOPY --from=one /o /o\nUSER 1\n"
    found = stages(one + two)
    assert found["one"].steps == [("RUN", "x && y")]
    assert found["two"].values("USER") == ["1"]
    assert [stage.name for stage in order(found, "two")] == ["one", "two"]


def test_every_base_is_pinned_by_tag_and_can_be_pinned_by_digest(
    project: Path, recipe: dict[str, Stage]
) -> None:
    assert {stage.parent for stage in recipe.values()} - recipe.keys() == {"${BASE}"}
    base = re.search(r"(?m)^ARG BASE=(\S+)$", (project / "Dockerfile").read_text("utf-8"))
    assert base is not None
    assert re.fullmatch(r"python:3\.\d+-slim-\w+", base[1])


@pytest.mark.parametrize("target", TARGETS)
def test_an_image_runs_without_root_and_writes_to_its_volume(recipe: dict[str, Stage], target: str) -> None:
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", last(recipe, target, "USER"))
    volume, environment = last(recipe, target, "VOLUME"), last(recipe, target, "ENV")
    assert f"WHENCE_DATA_DIR={volume}" in environment.split()
    written = re.findall(r"(?:HOME|_DIR)=(\S+)", environment)
    assert all(path.startswith(("/tmp", volume)) for path in written)
    assert recipe[target].values("RUN") == []


@pytest.mark.parametrize("target", TARGETS)
def test_an_image_has_a_health_check_labels_and_a_command(recipe: dict[str, Stage], target: str) -> None:
    assert words(last(recipe, target, "ENTRYPOINT")) == ["whence"]
    assert words(last(recipe, target, "HEALTHCHECK"))[0] == {"service": "python", "ingest": "whence"}[target]
    assert 'org.opencontainers.image.licenses="BSD-3-Clause"' in last(recipe, target, "LABEL")


@pytest.mark.parametrize("target", TARGETS)
def test_what_builds_stays_out_of_the_image(recipe: dict[str, Stage], target: str) -> None:
    steps = [step for stage in final(recipe, target) for step in stage.steps]
    assert [value for name, value in steps if name == "COPY"] == [
        f"--from={target}-environment /opt/whence /opt/whence"
    ]
    assert not any("pip" in value for name, value in steps if name == "RUN")


def test_only_locked_packages_and_our_files_come_in(recipe: dict[str, Stage]) -> None:
    for stage in recipe.values():
        assert not stage.values("ADD")
        for command in stage.values("RUN"):
            assert not re.search(r"curl|wget|://|apt-get", command)
            for install in re.findall(r"pip install[^&]*", command):
                assert "--require-hashes -r" in install or "--no-index --no-deps" in install
        for name, value in stage.steps:
            assert not re.search(r"(?i)secret|password|token|api_?key", value), f"{name} {value}"


def test_the_context_holds_what_is_copied_and_nothing_else(project: Path, recipe: dict[str, Stage]) -> None:
    lines = (project / ".dockerignore").read_text("utf-8").splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*"
    kept = {rule[1:].split("/")[0] for rule in rules if rule.startswith("!")}
    copied = {
        source.split("/")[0]
        for stage in recipe.values()
        for value in stage.values("COPY")
        if not value.startswith("--from=")
        for source in value.split()[:-1]
    }
    assert kept == copied
    assert all((project / name).exists() for name in copied)


@pytest.mark.slow
@pytest.mark.network
@pytest.mark.timeout(1500)
@pytest.mark.parametrize("target", TARGETS)
def test_the_steps_of_a_target_give_a_working_command(
    project: Path, recipe: dict[str, Stage], target: str, tmp_path: Path
) -> None:
    build = Build(project, tmp_path / "root")
    build.build(recipe, target)
    shown = build.run([*words(last(recipe, target, "ENTRYPOINT")), *words(last(recipe, target, "CMD"))])
    healthy = build.run(words(last(recipe, target, "HEALTHCHECK")))
    if target == "service":  # reachable by others: not without a key
        assert (shown.returncode, healthy.returncode) == (2, 1)
        assert "whence keys create" in shown.stderr
        assert build.run(["whence", "keys", "create", "--name", "first"]).stdout.startswith("whence_")
    else:
        assert (shown.returncode, healthy.returncode) == (0, 0), shown.stderr
        assert "check" in shown.stdout
    examined = build.run(["whence", "doctor"])
    assert examined.returncode == 0, examined.stderr
    assert str(tmp_path / "root" / "var" / "lib" / "whence") in examined.stdout
    installed = build.run(["python", "-c", "import corpus, app, workers; print(corpus.__file__)"])
    assert installed.stdout.startswith(str(tmp_path / "root" / "opt" / "whence")), installed.stderr
    detects = build.run(["python", "-c", "import licensedcode"])
    assert (detects.returncode == 0) == (target == "ingest")
