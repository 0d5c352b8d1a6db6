"""Children that parse untrusted bytes: killed when they misbehave, replaced by a fresh one.

Holds `Pool`, a few long-lived processes that run module-level functions named `module:function`.
Arguments and results are plain values (None, bool, int, float, str, bytes, list, dict) in msgpack
frames over a socket pair; nothing that executes on reading ever crosses. Arrays of bytes in a result come as
memoryviews, without a copy in between. A child limits its own
address space, processor time, file sizes and open files, has no stdin, stdout or environment
secrets, no network where the host allows that, and dies with its parent. The parent holds the
clock: whoever is late, dies, or writes garbage is killed with its session.

Called by everything that reads archives, diffs, source text or licences.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import asdict
from types import TracebackType
from typing import Any

import numpy as np

from corpus.errors import SandboxError, WhenceError, _restore
from corpus.sandboxed import MIB, Limits, decode, encode, fill, receive, send

__all__ = ["MIB", "Limits", "Pool"]

START_SECONDS = 120.0  # importing a large library on a busy machine
_BOOT = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]);"
    "from corpus.sandboxed import serve; serve(int(sys.argv[2]), int(sys.argv[3]))"
)
# Everything else in the environment (keys, passwords, DSNs) is no business of a parser.
_ENVIRONMENT = {"PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "XDG_CACHE_HOME"}
_ENVIRONMENT_PREFIXES = ("NUMBA_", "SCANCODE_")
# Thread pools of numerical libraries reserve address space for each processor. Memory that a text needed is
# kept for the next one: to give it back and touch it anew took a tenth of all time.
_FRUGAL = dict.fromkeys(
    ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), "1"
) | {
    "MALLOC_ARENA_MAX": "2",
    "MALLOC_TRIM_THRESHOLD_": str(64 * MIB),
    "MALLOC_MMAP_THRESHOLD_": str(4 * MIB),
}


class Pool(contextlib.AbstractContextManager["Pool"]):
    """`size` children under `limits`, started when first needed. Safe to use from many threads.

    preload: `module` (imported) or `module:function` (called without arguments) before the limits
    are set, so that large libraries do not count as memory of a job. patience: how many times the seconds
    of processor time a job may take by the clock: more than 1 for a batch on a machine that others use.
    """

    def __init__(
        self, size: int, limits: Limits | None = None, preload: tuple[str, ...] = (), patience: float = 1.0
    ) -> None:
        if size < 1:
            raise ValueError("a pool has at least one child")
        self.size = size
        self.limits = limits or Limits()
        self.preload = preload
        self.patience = patience
        self._closed = False
        # Last in, first out: a warm child is taken before a new one is started.
        self._free: queue.LifoQueue[_Child | None] = queue.LifoQueue()
        for _ in range(size):
            self._free.put(None)

    def run(self, function: str, *args: Any, seconds: float | None = None) -> Any:
        """The result of `function(*args)` in a child; `seconds` replaces the limit for this job.

        Raises SandboxError with reason `timeout`, `memory` or `crash`, or the WhenceError that the
        function raised. The child is replaced where needed; the next job is not affected.
        """
        return self._run(function, args, seconds, _Running())

    def map_unordered(
        self, function: str, jobs: Iterable[tuple[Any, ...]], *, seconds: float | None = None
    ) -> Iterator[tuple[int, Any | WhenceError]]:
        """Run `function(*job)` for each job; yield (position, result or error) as they finish.

        `jobs` is consumed as children become free, by the caller's thread. A bad job is one error.
        Leaving the loop early kills what still runs.
        """
        numbered = enumerate(jobs)
        running = _Running()
        waiting: dict[Future[Any], int] = {}
        executor = ThreadPoolExecutor(self.size, thread_name_prefix="sandbox")
        try:
            exhausted = False
            while True:
                while not exhausted and len(waiting) < self.size + 1:
                    entry = next(numbered, None)
                    if entry is None:
                        exhausted = True
                    else:
                        future = executor.submit(self._run, function, entry[1], seconds, running)
                        waiting[future] = entry[0]
                if not waiting:
                    return
                for future in wait(waiting, return_when=FIRST_COMPLETED).done:
                    position = waiting.pop(future)
                    try:
                        outcome = future.result()
                    except WhenceError as error:
                        outcome = error
                    yield position, outcome
        finally:
            executor.shutdown(wait=False, cancel_futures=True)
            running.stop()
            executor.shutdown(wait=True)

    def close(self) -> None:
        """Kill the children that are idle now, and the busy ones as they finish their jobs."""
        self._closed = True
        with contextlib.suppress(queue.Empty):
            while True:
                child = self._free.get_nowait()
                if child is not None:
                    child.kill()
        self._free.put(None)  # wakes a thread that waits for a child

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _run(self, function: str, args: tuple[Any, ...], seconds: float | None, running: _Running) -> Any:
        child = self._free.get()
        try:
            if self._closed:
                raise SandboxError("crash", f"{function} was not run: the pool is closed")
            if child is None or not child.is_alive():
                child = _Child(self.limits, self.preload, self.patience)
            running.add(child)
            return child.call(function, args, self.limits.seconds if seconds is None else seconds)
        finally:
            if child is not None:
                running.remove(child)
                if child.jobs >= self.limits.recycle_after or self._closed or not child.is_alive():
                    child.kill()
                    child = None
            self._free.put(child)


class _Running:
    """The children that work for one caller, so that the caller can stop them."""

    def __init__(self) -> None:
        self._children: set[_Child] = set()
        self._stopped = False
        self._lock = threading.Lock()

    def add(self, child: _Child) -> None:
        with self._lock:
            self._children.add(child)
            if self._stopped:
                raise SandboxError("crash", "stopped by its caller")

    def remove(self, child: _Child) -> None:
        with self._lock:
            self._children.discard(child)

    def stop(self) -> None:
        with self._lock:
            self._stopped = True
            for child in self._children:
                child.kill()


class _Child:
    """The parent's end of one process."""

    def __init__(self, limits: Limits, preload: tuple[str, ...], patience: float) -> None:
        self._limits = limits
        self._patience = patience
        self._ending = threading.Lock()
        self.jobs = 0
        self._socket, theirs = socket.socketpair()
        life, self._life = os.pipe()  # never written to: it closes when this process dies
        try:
            self._process = _spawn(theirs.fileno(), life)
        except OSError as error:
            self._socket.close()
            os.close(self._life)
            raise SandboxError("crash", f"a child could not be started: {error.strerror}") from error
        finally:
            theirs.close()
            os.close(life)
        try:
            self._exchange("the start of a child", [asdict(limits), list(preload)], START_SECONDS)
        except BaseException:
            self.kill()
            raise

    def is_alive(self) -> bool:
        return self._socket.fileno() >= 0 and self._process.poll() is None

    def call(self, function: str, args: tuple[Any, ...], seconds: float) -> Any:
        frame = [function, list(args), seconds]
        self.jobs += 1
        return self._exchange(function, frame, seconds)

    def kill(self) -> None:
        """End the process and all that it started. May be called twice and from any thread."""
        with self._ending:
            if self._process.poll() is None:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(self._process.pid, signal.SIGKILL)
                self._process.kill()
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)  # wakes a thread that reads
            self._process.wait()
            self._socket.close()
            if self._life >= 0:
                os.close(self._life)
                self._life = -1

    def _exchange(self, what: str, request: list[Any], seconds: float) -> Any:
        """Send a request, return its result; unless both went well, the child is dead afterwards."""
        frame = encode([self.jobs, *request])
        if len(frame) > self._limits.frame_bytes:
            raise SandboxError("memory", f"{what}: arguments of {len(frame)} bytes are over the limit")
        usable = False
        try:
            kind, *rest = self._answer(frame, seconds)
            if kind == "ok":
                usable = True
                return rest[0]
            if kind == "error":
                error = _error_from(*rest)
                usable = True
                raise error
            if kind == "memory":
                raise SandboxError("memory", f"{what} needed more than {self._limits.memory // MIB} MiB")
            raise ValueError(kind)
        except TimeoutError:
            raise SandboxError("timeout", f"{what} took longer than {seconds * self._patience:g} s") from None
        except (EOFError, OSError):
            raise self._obituary(what) from None
        except WhenceError:
            raise
        except Exception:  # msgpack has many ways to say that bytes are none of its own
            raise SandboxError("crash", f"{what}: the child answered garbage") from None
        finally:
            if not usable:
                self.kill()

    def _answer(self, frame: bytes, seconds: float) -> list[Any]:
        deadline = time.monotonic() + seconds * self._patience
        self._socket.settimeout(seconds * self._patience)
        send(self._socket, frame)
        left = self._limits.frame_bytes
        received = receive(self._socket, left, deadline)
        left -= len(received)
        views: list[memoryview] = []

        def room(size: int) -> memoryview:
            nonlocal left
            left -= size
            if left < 0:
                raise ValueError("a longer answer than may be")
            views.append(np.empty(size, np.uint8).data)
            return views[-1]

        answer: list[Any] = decode(received, room)
        fill(self._socket, views, deadline)
        if answer[0] != self.jobs:
            raise ValueError("an answer to another question")
        return answer[1:]

    def _obituary(self, what: str) -> SandboxError:
        """Why the socket closed: from the exit status, where the process ended by itself."""
        try:
            code = self._process.wait(timeout=1.0)
        except subprocess.TimeoutExpired:
            code = 0
        if code == -signal.SIGXCPU:
            return SandboxError("timeout", f"{what} used up its processor time")
        cause = f"signal {-code}" if code < 0 else f"exit status {code}"
        return SandboxError("crash", f"{what}: the child ended ({cause})")


def _spawn(control: int, life: int) -> subprocess.Popen[bytes]:
    path = [entry or os.getcwd() for entry in sys.path]
    environment = {
        name: value
        for name, value in os.environ.items()
        if name in _ENVIRONMENT or name.startswith(_ENVIRONMENT_PREFIXES)
    }
    return subprocess.Popen(
        [sys.executable, "-I", "-c", _BOOT, json.dumps(path), str(control), str(life)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        pass_fds=(control, life),
        start_new_session=True,
        env=_FRUGAL | environment,
    )


def _error_from(slug: str, message: str, state: dict[str, Any]) -> WhenceError:
    def kinds(kind: type[WhenceError]) -> Iterator[type[WhenceError]]:
        yield kind
        for narrower in kind.__subclasses__():
            yield from kinds(narrower)

    found = next((kind for kind in kinds(WhenceError) if kind.slug == slug), WhenceError)
    return _restore(found, message, state)
