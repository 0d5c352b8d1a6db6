"""Diffs that clients should not send: mutated ones without end, and structured ones that aim at a parser."""

from __future__ import annotations

import random
from collections.abc import Iterator

from tests.api.service import SOURCE, copied, diff_of
from tests.app.scan.test_diff_linear import HEAD, KINDS
from tests.app.scan.test_diff_strict import GOOD, MALFORMED

SEEDS = (11, 12, 13, 14, 15)
_PARTS = [
    b"@@ -1,3 +1,4 @@", b"--- a/x.c", b"+++ b/x.c", b"diff --git a/x b/y", b"rename from x", b"\\ No newline",
    b"+", b"-", b" ", b"", b"@@@ -1 -1 +1 @@@", b"Binary files a and b differ", b"\x00\xff", b"+++ /dev/null",
    b"GIT binary patch", b"-- ", b"From 0 Mon", b"+/*", b'+"""', b"+'", b"+{{{", b"+\xf0\x9f\x98\x80", b"+\r",
]  # fmt: skip


def mutated(seed: int, number: int) -> Iterator[bytes]:
    """Small diffs with one to twelve changes each, all different."""
    rng = random.Random(seed)
    base = (GOOD + diff_of("\n".join(SOURCE.splitlines()[:8]), "k.py") + GOOD).split(b"\n")
    for count in range(number):
        lines = list(base)
        for _ in range(rng.randint(1, 12)):
            at = rng.randrange(len(lines))
            match rng.randrange(6):
                case 0:
                    del lines[at]
                case 1:
                    lines.insert(at, rng.choice(_PARTS))
                case 2:
                    other = rng.randrange(len(lines))
                    lines[at], lines[other] = lines[other], lines[at]
                case 3:
                    lines[at] = lines[at][: rng.randint(0, 20)]
                case 4:
                    lines[at] = rng.randbytes(rng.randint(1, 8)) + lines[at]
                case _:
                    raw = bytearray(lines[at] or b"+")
                    raw[rng.randrange(len(raw))] ^= 1 << rng.randrange(8)
                    lines[at] = bytes(raw)
            lines = lines or [b""]
        yield b"\n".join(lines) + b"\n+++ %d %d\n" % (seed, count)


def structured() -> dict[str, bytes]:
    """At least 150, by name: what readers of diffs and tokenisers of languages stumble over."""
    found = {f"malformed {number}": text + b"\n" for number, text in enumerate(MALFORMED)}
    found |= {f"much of {name}": HEAD + line * (200_000 // len(line)) for name, line in KINDS.items()}
    names = (b"py", b"c", b"js", b"rs", b"go", b"java", b"f90", b"m")
    bodies = {
        "brackets": b"(" * 50_000,
        "nested pairs": b"(" * 20_000 + b")" * 20_000,
        "open string": b'x = "' + b"a" * 100_000,
        "backslashes": b'"' + b"\\" * 100_000,
        "one long line": b"a" * 1_000_000,
        "terms": b"x = " + b" + ".join(b"a%d" % n for n in range(20_000)),
        "noise": random.Random(3).randbytes(200_000).replace(b"\n", b"+"),
        "open comment": b"/* " + b"* " * 50_000,
    }
    for what, body in bodies.items():
        for name in names:
            text = b"--- /dev/null\n+++ b/x." + name + b"\n@@ -0,0 +1 @@\n+" + body + b"\n"
            found[f"{what}.{name.decode()}"] = text
    found["many files"] = b"".join(
        b"--- /dev/null\n+++ b/f%d.py\n@@ -0,0 +1 @@\n+x\n" % number for number in range(2000)
    )
    found["deep path"] = copied("deep").replace(b"mine.py", b"a/" * 3000 + b"x.py")
    found["path above"] = copied("above").replace(b"mine.py", b"../../../../etc/passwd")
    found["absolute path"] = copied("root").replace(b"b/mine.py", b"/etc/passwd")
    found["nothing but newlines"] = b"\n" * 1_000_000
    found["NUL"] = b"\0" * 1_000_000
    return found
