"""The command itself: help that teaches, and a start that loads nothing it does not need."""

import resource
import subprocess
import sys
from importlib.metadata import version

import pytest
import typer.main
from click import Command, Group

from app.cli.main import app

HEAVY = ("numba", "scipy", "datasketch", "numpy", "licensedcode", "fastapi", "sqlalchemy", "rich.table",
         "xxhash", "zstandard", "httpx2")  # fmt: skip
RUN = "import sys; from app.cli.main import run; sys.argv = ['whence', *sys.argv[1:]]; "


def commands(command: Command, path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], Command]]:
    found = [(path, command)]
    if isinstance(command, Group):
        for name, inner in command.commands.items():
            found += commands(inner, (*path, name))
    return found


TREE = commands(typer.main.get_command(app))


@pytest.mark.parametrize(("path", "command"), TREE, ids=[" ".join(path) or "whence" for path, _ in TREE])
def test_help_teaches(path, command):
    assert command.help, "a command says what it does"
    assert len(command.help.split()) >= 4
    for parameter in command.params:
        if parameter.name != "help":
            assert getattr(parameter, "help", None), f"{parameter.name} has no help"


def test_the_root_names_the_first_two_commands():
    text = TREE[0][1].help
    assert "whence corpus add pkg:" in text
    assert "whence check --diff -" in text


def run(*arguments, **options):
    return subprocess.run([sys.executable, "-c", *arguments], capture_output=True, text=True, **options)


def test_version_and_start_load_nothing_heavy():
    code = RUN + (
        "import atexit\n"
        f"heavy = {HEAVY!r}\n"
        "atexit.register(lambda: print('loaded', [m for m in heavy if m in sys.modules]))\n"
        "run()"
    )
    done = run(code, "--version")
    assert done.stdout.splitlines() == [f"whence {version('whence')}", "loaded []"], done.stderr


def test_check_loads_no_compiler_and_no_second_index():
    code = RUN + (
        "import atexit\n"
        "heavy = ('numba', 'scipy', 'datasketch', 'licensedcode', 'fastapi')\n"
        "atexit.register(lambda: print('loaded', [m for m in heavy if m in sys.modules]))\n"
        "run()"
    )
    done = run(code, "check", __file__, "--data", "no-such-folder")
    assert done.returncode == 2
    assert "whence corpus add" in done.stderr
    assert done.stdout.splitlines() == ["loaded []"]


def test_the_start_takes_at_most_400_ms_of_processor_time():
    def once():
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        run(RUN + "run()", "--version", check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    assert min(once() for _ in range(4)) <= 0.4
