"""What the children run in test_sandbox: good jobs and poison."""

from __future__ import annotations

import contextlib
import ctypes
import os
import re
import resource
import socket
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from corpus.errors import ArchiveError, BadDiff, DigestMismatch


def echo(value: Any) -> Any:
    return value


def double(number: int) -> int:
    return 2 * number


def pid() -> int:
    return os.getpid()


def loop() -> None:
    while True:
        pass


def pathological_regex() -> None:
    re.match(r"(a+)+$", "a" * 64 + "b")


def sleep(seconds: float) -> float:
    time.sleep(seconds)
    return seconds


def allocate(mib: int) -> int:
    return len(bytearray(mib << 20))


def allocate_in_small_pieces() -> None:
    hoard: list[list[int]] = []
    while True:
        hoard.append(list(range(1000)))


def exit_at_once(status: int) -> None:
    os._exit(status)


def leave() -> None:
    sys.exit(0)


def segfault() -> None:
    ctypes.string_at(0)


def recurse(depth: int = 0) -> int:
    return recurse(depth + 1) + 1


def fail(secret: str) -> None:
    raise ValueError(f"could not read {secret}")


def raise_whence(kind: str) -> None:
    if kind == "diff":
        raise BadDiff(7, "no such line")
    if kind == "digest":
        raise DigestMismatch("pkg:pypi/a@1", "a-1.tar.gz", "sha256", "0" * 64, "f" * 64)
    raise ArchiveError("broken")


def noise() -> int:
    print("noise " * 10_000, flush=True)
    sys.stderr.write("noise " * 10_000)
    os.write(1, b"\xff" * 100_000)
    return 1


def _control() -> int:
    """The descriptor that the child talks over: the only socket that it has."""
    for fd in range(3, 64):
        with contextlib.suppress(OSError), socket.socket(fileno=os.dup(fd)) as found:
            if found.getpeername() is not None:
                return fd
    raise AssertionError("no socket")


def garbage() -> None:
    os.write(_control(), (16).to_bytes(8, "big") + b"\xc1" * 16)
    time.sleep(30)


def huge_frame() -> None:
    os.write(_control(), (1 << 62).to_bytes(8, "big") + b"x")
    time.sleep(30)


def half_frame() -> None:
    os.write(_control(), (1000).to_bytes(8, "big") + b"x")
    time.sleep(30)


def arrays(sizes: list[int]) -> dict[str, Any]:
    made = {str(size): np.arange(size, dtype=np.uint32).astype(np.uint8) for size in sizes}
    return {"arrays": made, "words": np.array([1, 2, 515], "<u2"), "plain": b"abc"}


def _array_of(size: int) -> None:
    frame = b"\x93\x00\xa2ok\xd7\x01" + size.to_bytes(8, "big")  # [0, "ok", an array of so many bytes]
    os.write(_control(), len(frame).to_bytes(8, "big") + frame + b"x")
    time.sleep(30)


def half_array() -> None:
    _array_of(1000)


def huge_array() -> None:
    _array_of(1 << 62)


def unasked_answer() -> int:
    frame = b"\x93\xcd\x03\xe7\xa2ok\x05"  # [999, "ok", 5]
    os.write(_control(), len(frame).to_bytes(8, "big") + frame)
    return 1


def not_plain() -> object:
    return object()


def write_file(path: str, size: int) -> int:
    with open(path, "wb") as file:
        for _ in range(size >> 20):
            file.write(bytes(1 << 20))
    return size


def open_many(count: int) -> int:
    return len([os.open(os.devnull, os.O_RDONLY) for _ in range(count)])


def circumstances() -> dict[str, Any]:
    status = dict(
        line.split(":\t", 1) for line in Path("/proc/self/status").read_text().splitlines() if ":\t" in line
    )
    return {
        "stdin": sys.stdin.read() if sys.stdin else "",
        "environment": dict(os.environ),
        "session": os.getsid(0) == os.getpid(),
        "core": list(resource.getrlimit(resource.RLIMIT_CORE)),
        "no_new_privs": status.get("NoNewPrivs", "").strip(),
        "interfaces": [name for _, name in socket.if_nameindex()],
    }


def connect(port: int) -> str:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2):
            return "connected"
    except OSError as error:
        return type(error).__name__
