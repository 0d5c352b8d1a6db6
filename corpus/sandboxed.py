"""The child's side of corpus.sandbox: serve one parent, within limits, until it dies.

Holds `Limits`, the frames that both sides speak (eight bytes of length, msgpack, then the bytes of
arrays) and `serve`, the main loop of a child. Started by corpus.sandbox with a clean interpreter; imported
by nobody else.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import math
import os
import signal
import socket
import struct
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, NoReturn

import msgpack

from corpus.errors import SandboxError, WhenceError

MIB = 1 << 20
_HEADER = struct.Struct(">Q")
_ARRAY = 1
"""An array in a frame: its size, in place of its bytes."""
_MOST_VIEWS = 512
"""That a system call takes, of 1024 (IOV_MAX)."""


@dataclass(frozen=True)
class Limits:
    """What one child may use.

    memory: bytes of address space beyond what it has after its imports. seconds: wall clock of one
    job. file_bytes: longest file it may write. open_files: descriptors. frame_bytes: longest
    argument list or result. recycle_after: jobs until a fresh child takes over.
    """

    memory: int = 512 * MIB
    seconds: float = 60.0
    file_bytes: int = 256 * MIB
    open_files: int = 256
    frame_bytes: int = 128 * MIB
    recycle_after: int = 200


def encode(value: Any, beside: list[memoryview] | None = None) -> bytes:
    """beside: gets the bytes of arrays, which `send` sends behind the frame as they are."""

    def put_beside(array: Any) -> msgpack.ExtType:
        if beside is None:
            raise TypeError(f"{type(array).__name__} is not a plain value")
        beside.append(memoryview(array).cast("B"))
        return msgpack.ExtType(_ARRAY, _HEADER.pack(beside[-1].nbytes))

    return bytes(msgpack.packb(value, default=put_beside, use_bin_type=True, unicode_errors="surrogatepass"))


def decode(frame: bytearray, room: Callable[[int], Any] | None = None) -> Any:
    """room: gives an array of so many bytes for one that was sent behind the frame."""

    def from_beside(code: int, data: bytes) -> Any:
        if room is None or code != _ARRAY:
            raise ValueError(f"extension {code}")
        return room(*_HEADER.unpack(data))

    return msgpack.unpackb(
        frame, raw=False, strict_map_key=False, unicode_errors="surrogatepass", ext_hook=from_beside
    )


def send(target: socket.socket, frame: bytes, beside: Iterable[memoryview] = ()) -> None:
    views = [memoryview(_HEADER.pack(len(frame)) + frame), *(view for view in beside if view.nbytes)]
    while views:
        _advance(views, target.sendmsg(views[:_MOST_VIEWS]))


def _advance(views: list[memoryview], count: int) -> None:
    """Drop so many bytes from the front."""
    done = 0
    while done < len(views) and count >= views[done].nbytes:
        count -= views[done].nbytes
        done += 1
    del views[:done]
    if count:
        views[0] = views[0][count:]


def fill(source: socket.socket, views: list[memoryview], deadline: float = math.inf) -> None:
    """Read until all views are full. Raises EOFError or TimeoutError."""
    views = [view for view in views if view.nbytes]
    while views:
        if deadline < math.inf:
            source.settimeout(max(deadline - time.monotonic(), 1e-6))
        count = source.recvmsg_into(views[:_MOST_VIEWS])[0]
        if not count:
            raise EOFError
        _advance(views, count)


def receive(source: socket.socket, cap: int, deadline: float = math.inf) -> bytearray:
    """One frame. Raises EOFError, TimeoutError, or ValueError when it is longer than `cap`."""
    header = bytearray(_HEADER.size)
    fill(source, [memoryview(header)], deadline)
    (size,) = _HEADER.unpack(header)
    if size > cap:
        raise ValueError(f"a frame of {size} bytes")
    frame = bytearray(size)
    fill(source, [memoryview(frame)], deadline)
    return frame


def serve(control: int, life: int) -> NoReturn:
    """Main loop of a child; never returns."""
    _die_with_parent(life)
    _isolate()
    channel = socket.socket(fileno=control)
    try:
        number, limits, preload = decode(receive(channel, 64 * MIB))
        bounds = Limits(**limits)
        for name in preload:
            _load(name)
        gc.freeze()  # what was imported stays: the collector need not look at it again and again
        _limit(bounds)
    except Exception as error:
        _answer(channel, encode([0, "error", *_told("the start of a child", error)]))
        os._exit(1)
    _answer(channel, encode([number, "ok", None]))
    while True:
        try:
            number, function, args, seconds = decode(receive(channel, bounds.frame_bytes))
        except (EOFError, OSError):
            os._exit(0)
        out_of_memory = encode([number, "memory"])
        beside: list[memoryview] = []
        try:
            _allow_processor_time(seconds)
            answer = encode([number, "ok", _load(function, args)], beside)
        except MemoryError:
            answer, beside = out_of_memory, []
        except BaseException as error:
            answer, beside = encode([number, "error", *_told(function, error)]), []
        _answer(channel, answer, beside)


def _load(name: str, args: list[Any] | None = None) -> Any:
    """Import `module`; for `module:function`, call it."""
    module, _, function = name.partition(":")
    loaded = importlib.import_module(module)
    return getattr(loaded, function)(*(args or ())) if function else None


def _answer(channel: socket.socket, frame: bytes, beside: Iterable[memoryview] = ()) -> None:
    try:
        send(channel, frame, beside)
    except OSError:
        os._exit(0)


def _told(what: str, error: BaseException) -> tuple[str, str, dict[str, Any]]:
    """An error as plain values. Of foreign ones only the kind and the place: their text may quote input."""
    if isinstance(error, WhenceError):
        plain = {
            name: value
            for name, value in vars(error).items()
            if value is None or isinstance(value, bool | int | float | str | bytes)
        }
        return error.slug, error.message, plain
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    where = f" at {os.path.basename(place.tb_frame.f_code.co_filename)}:{place.tb_lineno}" if place else ""
    missing = f" ({error.name})" if isinstance(error, ImportError) and error.name else ""
    message = f"{what}: {type(error).__name__}{missing}{where}"
    return SandboxError.slug, message, {"message": message, "reason": "crash"}


def _die_with_parent(life: int) -> None:
    """Have the kernel kill this process when the other end of `life` closes.

    Not PR_SET_PDEATHSIG: that fires when the *thread* that started the child ends. A signal for
    input on a pipe that is never written to comes with the last writer's death, also in C code.
    """
    import fcntl
    import select

    signal.signal(signal.SIGIO, signal.SIG_DFL)  # terminates
    fcntl.fcntl(life, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(life, fcntl.F_SETFL, fcntl.fcntl(life, fcntl.F_GETFL) | os.O_ASYNC)
    if select.select([life], [], [], 0)[0]:
        os._exit(0)  # it had died before


def _isolate() -> None:
    """No new privileges, no network, first choice when memory is short. What the host refuses is left."""
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:
        file.write("500")
    if not sys.platform.startswith("linux"):
        return
    import ctypes

    set_no_new_privs, new_user, new_net = 38, 0x10000000, 0x40000000
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(set_no_new_privs, 1, 0, 0, 0)
    if libc.unshare(new_net) != 0:
        libc.unshare(new_user | new_net)


def _limit(bounds: Limits) -> None:
    import resource

    def cap(which: int, value: int) -> None:
        hard = resource.getrlimit(which)[1]
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        with contextlib.suppress(OSError, ValueError):  # not every system has every limit
            resource.setrlimit(which, (value, value))

    cap(resource.RLIMIT_CORE, 0)
    cap(resource.RLIMIT_FSIZE, bounds.file_bytes)
    cap(resource.RLIMIT_NOFILE, bounds.open_files)
    with contextlib.suppress(OSError), open("/proc/self/statm") as file:
        mapped = int(file.read().split()[0]) * resource.getpagesize()
        cap(resource.RLIMIT_AS, mapped + bounds.memory)


def _allow_processor_time(seconds: float) -> None:
    """Twice the job's wall clock from now on: a second wall behind the parent's clock."""
    import resource

    usage = resource.getrusage(resource.RUSAGE_SELF)
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    allowed = math.ceil(usage.ru_utime + usage.ru_stime + 2 * seconds) + 1
    allowed = allowed if hard == resource.RLIM_INFINITY else min(allowed, hard)
    resource.setrlimit(resource.RLIMIT_CPU, (allowed, hard))
