"""The sandbox keeps its promise: whatever a child does, the parent gets a typed answer in time."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from corpus.errors import ArchiveError, BadDiff, DigestMismatch, SandboxError, WhenceError
from corpus.sandbox import MIB, Limits, Pool

HERE = Path(__file__).parent
JOBS = "sandbox_jobs:"


@pytest.fixture(scope="module", autouse=True)
def jobs_on_path() -> Iterator[None]:
    sys.path.insert(0, str(HERE))
    yield
    sys.path.remove(str(HERE))


@pytest.fixture(scope="module")
def pool(jobs_on_path: None) -> Iterator[Pool]:
    with Pool(2, Limits(memory=256 * MIB, seconds=20, file_bytes=4 * MIB, open_files=40)) as pool:
        yield pool


def refusal(pool: Pool, job: str, *args: Any, seconds: float | None = None) -> SandboxError:
    with pytest.raises(SandboxError) as caught:
        pool.run(JOBS + job, *args, seconds=seconds)
    return caught.value


plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False)
    | st.text(st.characters())  # lone surrogates too
    | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(0, 9), inner),
    max_leaves=20,
)


@given(value=plain)
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_plain_values_come_back_as_they_were(pool: Pool, value: Any) -> None:
    assert pool.run(JOBS + "echo", value) == value


@pytest.mark.parametrize("sizes", [[], [0], [0, 1, 0x1FFFF, 7, 3 * MIB], [*range(700)]])
def test_arrays_come_back_as_their_bytes(pool: Pool, sizes: list[int]) -> None:
    made = pool.run(JOBS + "arrays", sizes)
    assert {name: bytes(view) for name, view in made["arrays"].items()} == {
        str(size): bytes(at % 256 for at in range(size)) for size in sizes
    }
    assert bytes(made["words"]) == b"\x01\x00\x02\x00\x03\x02"
    assert made["plain"] == b"abc"


def test_arrays_are_limited_together_with_their_frame() -> None:
    with Pool(1, Limits(frame_bytes=MIB)) as pool:
        assert "garbage" in refusal(pool, "arrays", [MIB // 2, MIB // 2 + 1]).message
        assert len(pool.run(JOBS + "arrays", [MIB // 2])["arrays"]) == 1


@pytest.mark.parametrize("job", ["loop", "pathological_regex", "half_frame", "half_array"])
def test_what_never_ends_is_killed_in_time(pool: Pool, job: str) -> None:
    started = time.monotonic()
    error = refusal(pool, job, seconds=1.0)
    assert error.reason == "timeout"
    assert time.monotonic() - started < 30
    assert job in error.message
    assert pool.run(JOBS + "double", 4) == 8


@pytest.mark.parametrize(("job", "args"), [("allocate", (2048,)), ("allocate_in_small_pieces", ())])
def test_memory_is_limited(pool: Pool, job: str, args: tuple[int, ...]) -> None:
    error = refusal(pool, job, *args)
    assert error.reason == "memory"
    assert "256 MiB" in error.message
    assert pool.run(JOBS + "allocate", 128) == 128 * MIB


@pytest.mark.parametrize(
    ("job", "args", "said"),
    [
        ("exit_at_once", (3,), "exit status 3"),
        ("exit_at_once", (0,), "exit status 0"),
        ("segfault", (), f"signal {signal.SIGSEGV.value}"),
        ("leave", (), "SystemExit"),
        ("recurse", (), "RecursionError"),
        ("garbage", (), "garbage"),
        ("huge_frame", (), "garbage"),
        ("huge_array", (), "garbage"),
        ("not_plain", (), "TypeError"),
        ("no_such_function", (), "AttributeError"),
        ("double", (1, 2, 3), "TypeError"),
    ],
)
def test_a_crash_is_one_error_and_the_next_job_works(
    pool: Pool, job: str, args: tuple[int, ...], said: str
) -> None:
    error = refusal(pool, job, *args)
    assert error.reason == "crash"
    assert said in error.message
    assert pool.run(JOBS + "double", 4) == 8


def test_an_answer_to_another_question_is_never_believed(pool: Pool) -> None:
    assert refusal(pool, "unasked_answer").reason == "crash"
    assert [pool.run(JOBS + "echo", i) for i in range(20)] == list(range(20))


def test_foreign_errors_tell_kind_and_place_but_not_their_text(pool: Pool) -> None:
    message = refusal(pool, "fail", "hunter2").message
    assert "hunter2" not in message
    assert "ValueError at sandbox_jobs.py:" in message


def test_our_errors_come_over_with_class_message_and_fields(pool: Pool) -> None:
    with pytest.raises(BadDiff, match="line 7 of the diff") as bad_diff:
        pool.run(JOBS + "raise_whence", "diff")
    assert bad_diff.value.line == 7
    with pytest.raises(DigestMismatch) as mismatch:
        pool.run(JOBS + "raise_whence", "digest")
    assert mismatch.value.purl == "pkg:pypi/a@1"
    with pytest.raises(ArchiveError, match="broken"):
        pool.run(JOBS + "raise_whence", "archive")


def test_noise_on_stdout_is_harmless(pool: Pool, capfd: pytest.CaptureFixture[str]) -> None:
    assert pool.run(JOBS + "noise") == 1
    assert capfd.readouterr() == ("", "")


def test_files_and_descriptors_are_limited(pool: Pool, tmp_path: Path) -> None:
    assert pool.run(JOBS + "write_file", str(tmp_path / "small"), 2 * MIB) == 2 * MIB
    assert "OSError" in refusal(pool, "write_file", str(tmp_path / "large"), 8 * MIB).message
    assert (tmp_path / "large").stat().st_size <= 4 * MIB
    assert "OSError" in refusal(pool, "open_many", 100).message


def test_a_child_has_no_secrets_no_input_and_no_privileges(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WHENCE_DATABASE_URL", "postgresql://user:hunter2@db/whence")
    with Pool(1) as pool:
        found = pool.run(JOBS + "circumstances")
    assert "hunter2" not in str(found)
    assert found["stdin"] == ""
    assert found["session"]
    assert found["core"] == [0, 0]
    assert found["no_new_privs"] == "1"


def _may_unshare() -> bool:
    flags = ["--net"] if os.geteuid() == 0 else ["--user", "--net"]
    return subprocess.run(["unshare", *flags, "true"], capture_output=True).returncode == 0


def test_a_child_has_no_network_where_the_host_allows(pool: Pool) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        answer = pool.run(JOBS + "connect", server.getsockname()[1])
    assert (answer == "connected") is not _may_unshare()


def test_arguments_and_results_over_the_cap_are_refused() -> None:
    with Pool(1, Limits(frame_bytes=MIB)) as pool:
        assert refusal(pool, "echo", bytes(2 * MIB)).reason == "memory"
        assert refusal(pool, "allocate", 0.5).reason == "crash"
        assert pool.run(JOBS + "echo", bytes(MIB // 2)) == bytes(MIB // 2)


def test_children_are_reused_and_recycled() -> None:
    with Pool(1, Limits(recycle_after=5)) as pool:
        pids = [pool.run(JOBS + "pid") for _ in range(15)]
    assert [pids.count(one) for one in dict.fromkeys(pids)] == [5, 5, 5]


def test_a_child_that_was_killed_while_idle_costs_no_job() -> None:
    with Pool(1) as pool:
        os.kill(pool.run(JOBS + "pid"), signal.SIGKILL)
        time.sleep(0.1)
        assert pool.run(JOBS + "double", 4) == 8


def test_a_preload_that_fails_is_a_clear_error() -> None:
    before = len(os.listdir("/proc/self/fd"))
    with Pool(1, preload=("no_such_module",)) as pool:
        message = refusal(pool, "pid").message
    assert "ModuleNotFoundError (no_such_module)" in message
    assert len(os.listdir("/proc/self/fd")) == before


def test_poison_among_good_jobs() -> None:
    poison = [("exit_at_once", 1), ("segfault",), ("loop",), ("allocate", 4096), ("garbage",)]
    plan = [poison[i // 5 % 5] if i % 5 == 0 else ("double", i) for i in range(250)]
    with Pool(4, Limits(seconds=5)) as pool:
        got: dict[int, Any] = {}
        lock = threading.Lock()

        def do(position: int) -> None:
            name, *args = plan[position]
            try:
                outcome = pool.run(JOBS + str(name), *args, seconds=0.5 if name == "loop" else None)
            except SandboxError as error:
                outcome = error.reason
            with lock:
                got[position] = outcome

        with ThreadPoolExecutor(8) as threads:
            list(threads.map(do, range(250)))
    expected = {
        "exit_at_once": "crash",
        "segfault": "crash",
        "loop": "timeout",
        "allocate": "memory",
        "garbage": "crash",
    }
    for position, (name, *args) in enumerate(plan):
        assert got[position] == expected.get(str(name), 2 * args[0] if args else None), (position, name)


def test_map_unordered_one_bad_job_is_one_error() -> None:
    with Pool(3, Limits(seconds=20)) as pool:
        outcomes = dict(
            pool.map_unordered(JOBS + "allocate", ((5000 if i % 10 == 0 else 0,) for i in range(60)))
        )
    assert sorted(outcomes) == list(range(60))
    for position, outcome in outcomes.items():
        if position % 10 == 0:
            assert isinstance(outcome, SandboxError)
            assert outcome.reason == "memory"
        else:
            assert outcome == 0


def test_map_unordered_is_lazy_and_can_be_left() -> None:
    taken = 0

    def jobs() -> Iterator[tuple[float]]:
        nonlocal taken
        while True:
            taken += 1
            yield (0.0,) if taken < 3 else (300.0,)

    started = time.monotonic()
    with Pool(2, Limits(seconds=600)) as pool:
        results = pool.map_unordered(JOBS + "sleep", jobs())
        assert next(results)[1] == 0.0
        results.close()  # type: ignore[attr-defined]
        assert taken <= 6
        assert time.monotonic() - started < 60
        assert pool.run(JOBS + "double", 4) == 8


def test_map_unordered_passes_on_the_errors_of_its_input() -> None:
    def jobs() -> Iterator[tuple[int]]:
        yield (1,)
        raise LookupError("input")

    with Pool(1) as pool, pytest.raises(LookupError, match="input"):
        list(pool.map_unordered(JOBS + "double", jobs()))


def test_a_closed_pool_refuses_and_leaves_no_process() -> None:
    pool = Pool(1)
    with pool:
        child = pool.run(JOBS + "pid")
    assert not Path(f"/proc/{child}").exists()
    with pytest.raises(WhenceError, match="closed"):
        pool.run(JOBS + "pid")


PARENT = """
import sys, threading, time
sys.path[:0] = {path!r}
from corpus.sandbox import Pool
pool = Pool(2)

def start(job):
    # The thread ends before the parent does: its child must outlive it, and not the parent.
    print(pool.run("sandbox_jobs:pid"), flush=True)
    threading.Thread(target=pool.run, args=("sandbox_jobs:" + job,), daemon=True).start()

for job in {jobs!r}:
    thread = threading.Thread(target=start, args=(job,))
    thread.start(); thread.join(); time.sleep(0.3)
print("ready", flush=True)
time.sleep(60)
"""


def test_no_child_outlives_a_killed_parent() -> None:
    root = str(HERE.parent.parent)
    script = PARENT.format(path=[str(HERE), root], jobs=["pathological_regex", "loop"])
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        children = [int(parent.stdout.readline()) for _ in range(2)]
        assert parent.stdout.readline() == "ready\n"
        assert all(_is_running(child) for child in children)
        parent.kill()
        parent.wait()
    deadline = time.monotonic() + 5
    while any(_is_running(child) for child in children) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not any(_is_running(child) for child in children)


def _is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False
