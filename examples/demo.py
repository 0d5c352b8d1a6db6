"""`make demo`: the main job on real packages, from nothing to the report.

Fetches the releases of corpus/manifests/demo.toml, indexes them, makes three sample changes (an excerpt of
GSL, an excerpt of pitchfinder with every name replaced, and honest code), checks each, then takes GSL out and
checks again. The copied code is cut out of the fetched releases at run time; none of it is kept here.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from corpus.index.catalog import Catalog
from corpus.languages import Kind, scan

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT / ".demo" / "data"
CHANGES = ROOT / ".demo" / "changes"
WHENCE = Path(sys.executable).with_name("whence")
GSL = "pkg:deb/debian/gsl@2.7.1%2Bdfsg-5%2Bdeb12u1?arch=source"

HONEST = '''def running_mean(values, width):
    """Mean of each window of `width` values."""
    if width < 1:
        raise ValueError("width must be positive")
    total = sum(values[:width])
    means = [total / width]
    for old, new in zip(values, values[width:]):
        total += new - old
        means.append(total / width)
    return means
'''


def whence(*arguments: str) -> int:
    """Run the command as a user would, and show it."""
    print(f"\n$ whence {' '.join(arguments)}", flush=True)
    return subprocess.run([WHENCE, *arguments, "--data", str(DATA)], check=False).returncode


def source(package: str, path: str) -> list[str]:
    """Lines of an indexed file."""
    catalog = Catalog(DATA)
    purl = next(p for p in catalog.entries() if f"/{package}@" in p)
    text = catalog.open().text_of(purl, path)
    assert text is not None, f"{purl} has no {path}"
    return text.decode("utf-8", "replace").split("\n")


def cut(lines: list[str], first: str, count: int) -> str:
    """`count` lines from the first one that holds `first` on."""
    start = next(i for i, line in enumerate(lines) if first in line)
    return "\n".join(lines[start : start + count]) + "\n"


def renamed(text: str, language: str) -> str:
    """The same code with every name replaced and every comment dropped."""
    data = text.encode()
    tokens = scan(data, language, fragment=True)
    names: dict[bytes, str] = {}
    out, at = [], 0
    edits = [(int(a), int(b), None) for a, b, _ in tokens.comments]
    edits += [
        (int(a), int(b), data[a:b])
        for a, b, k in zip(tokens.start, tokens.end, tokens.kind, strict=True)
        if k == Kind.NAME
    ]
    for start, end, name in sorted(edits):
        out.append(data[at:start].decode())
        if name is not None:
            out.append(names.setdefault(name, f"item{len(names) + 1}"))
        at = end
    return "".join(out) + data[at:].decode()


def as_diff(path: str, text: str) -> Path:
    """A unified diff that adds a file."""
    lines = text.rstrip("\n").split("\n")
    body = "\n".join(f"+{line}" for line in lines)
    CHANGES.mkdir(parents=True, exist_ok=True)
    target = CHANGES / (Path(path).name + ".diff")
    target.write_text(
        f"diff --git a/{path} b/{path}\nnew file mode 100644\n--- /dev/null\n+++ b/{path}\n"
        f"@@ -0,0 +1,{len(lines)} @@\n{body}\n"
    )
    return target


def main() -> int:
    started = time.monotonic()
    if whence("corpus", "add", "--manifest", str(ROOT / "corpus" / "manifests" / "demo.toml")):
        return 2
    excerpt = as_diff("sciquant/special/_zeta.c", cut(source("gsl", "specfunc/zeta.c"), "gsl_sf_hzeta_e", 60))
    detector = cut(source("pitchfinder", "lib/detectors/macleod.js"), "function peakPicking", 45)
    disguised = as_diff("web/src/pitch.js", renamed(detector, "javascript"))
    honest = as_diff("sciquant/stats/_window.py", HONEST)
    for change, expected in ((excerpt, 1), (disguised, 1), (honest, 0)):
        code = whence("check", "--diff", str(change), "--outbound", "BSD-3-Clause")
        if code != expected:
            print(f"expected exit code {expected} for {change.name}, got {code}", file=sys.stderr)
            return 1
    print("\nThe same excerpt once GSL is taken out of the index:")
    if whence("corpus", "remove", GSL) or whence(
        "check", "--diff", str(excerpt), "--outbound", "BSD-3-Clause"
    ):
        print("GSL was removed and is still reported", file=sys.stderr)
        return 1
    whence("corpus", "add", GSL)
    print(f"\ndemo done in {time.monotonic() - started:.0f} s; the index stays in {DATA.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
