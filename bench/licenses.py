"""How well and how fast licences are concluded: releases against their debian/copyright.

    python -m bench.licenses [--cache DIR] [--matcher N] [--rules N] [PURL …]

Prints the tables of docs/licenses.md. For each release: source files, seconds with a cold cache (starting
the children included), distinct notices, and how the conclusions compare with the stanzas of debian/copyright
where it is machine-readable. With `--matcher N`, N distinct notices are compared with what scancode's default
matcher says about the first 100 lines of their files; with `--rules N`, N of them are read with the shortlist
of rules and with all rules, answers and processor time are compared.
"""

from __future__ import annotations

import argparse
import posixpath
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from bench.ingest import descendants_seconds
from corpus.archive.unpack import read
from corpus.files import classify
from corpus.licenses import Detector, conclude, is_license_file, is_metadata_file
from corpus.licenses.declared import read_dep5
from corpus.licenses.expression import category, equivalent
from corpus.licenses.header import notice_key, read_header
from corpus.model import LicenseConclusion, TreeFile
from corpus.sandbox import MIB, Limits, Pool
from corpus.sources import fetch

RELEASES = (
    "pkg:deb/debian/gsl@2.7.1+dfsg-5+deb12u1?arch=source",
    "pkg:deb/debian/glpk@5.0-1?arch=source",
    "pkg:deb/debian/nettle@3.8.1-2?arch=source",
)


@dataclass
class Tree:
    files: dict[str, bytes] = field(default_factory=dict)
    evidence: dict[str, bytes] = field(default_factory=dict)
    dep5: bytes | None = None
    members: int = 0


def unpack(purl: str, cache: Path) -> Tree:
    tree = Tree()
    with Pool(1, preload=("corpus.archive",)) as pool, tempfile.TemporaryDirectory() as spool:
        for artifact in fetch(purl, cache).artifacts:
            unpacked = read(pool, artifact.path, Path(spool), strip_top=artifact.role == "upstream")
            for member in unpacked.members:
                path = posixpath.join(artifact.folder, member.path)
                data = member.location.read_bytes()
                tree.members += 1
                if path == "debian/copyright":
                    tree.dep5 = data
                if is_license_file(path) or is_metadata_file(path):
                    tree.evidence[path] = data
                if isinstance(kept := classify(path, data), TreeFile):
                    tree.files[path] = kept.text
    return tree


def agreement(tree: Tree, found: dict[str, LicenseConclusion]) -> tuple[int, int, Counter[tuple[str, str]]]:
    """Files whose stanza has a known licence, those of them concluded alike, and the pairs that differ."""
    dep5 = read_dep5(tree.dep5) if tree.dep5 else None
    compared, alike, differ = 0, 0, Counter[tuple[str, str]]()
    for path, conclusion in found.items():
        stanza = dep5.stanza(path) if dep5 else None
        if stanza is None or not stanza.expression or conclusion.established_by == "dep5":
            continue
        compared += 1
        if equivalent(stanza.expression, conclusion.expression):
            alike += 1
        else:
            differ[(stanza.expression, conclusion.expression or f"unknown: {conclusion.reason}")] += 1
    return compared, alike, differ


def report(purl: str, tree: Tree) -> None:
    with tempfile.TemporaryDirectory() as cold:
        started = time.perf_counter()
        with Detector(Path(cold)) as detector:
            found = conclude(tree.files, tree.evidence, "", tree.dep5, detector)
        seconds = time.perf_counter() - started
        started = time.perf_counter()
        with Detector(Path(cold)) as detector:
            conclude(tree.files, tree.evidence, "", tree.dep5, detector)
        warm = time.perf_counter() - started
    notices = {
        notice_key(header.notice) for text in tree.files.values() if (header := read_header(text)).notice
    }
    compared, alike, differ = agreement(tree, found)
    verdict = f"{alike} of {compared}" if compared else "prose"
    print(
        f"| {purl} | {tree.members} | {len(found)} | {len(notices)} | {seconds:.1f}"
        f" | {tree.members / seconds:.0f} | {len(found) / seconds:.0f} | {warm:.1f} | {verdict} |"
    )
    for by, count in Counter(c.established_by for c in found.values()).most_common():
        print(f"    {count:6d} by {by}")
    for (stanza, concluded), count in differ.most_common():
        print(f"    {count:6d} debian/copyright {stanza}; concluded {concluded}")


def compare_matchers(trees: list[Tree], count: int) -> None:
    """Notices read by our way and by scancode's default matcher over the whole first 100 lines."""
    texts = {
        notice_key(header.notice): (
            header.notice,
            b"\n".join(text.split(b"\n")[:100]).decode("utf-8", "replace"),
        )
        for tree in trees
        for text in tree.files.values()
        if (header := read_header(text)).notice
    }
    chosen = list(texts.values())[:count]
    tally = Counter[str]()
    limits = Limits(memory=2560 * MIB, seconds=120)
    with Pool(2, limits, preload=("corpus.licenses.detect",)) as pool:
        ours = dict(
            pool.map_unordered("corpus.licenses.detect:detect_text", ((notice,) for notice, _ in chosen))
        )
        theirs = dict(
            pool.map_unordered("corpus.licenses.detect:default_expression", ((top,) for _, top in chosen))
        )
    for at, (notice, _top) in enumerate(chosen):
        one, other = ours[at], theirs[at]
        if isinstance(one, Exception) or isinstance(other, Exception):
            tally["not read"] += 1
            continue
        expression = str(one["expression"])
        same = equivalent(expression, other)
        tally["equal" if same else "different"] += 1
        tally[f"path {one['path']}"] += 1
        if "Copyleft" in category(other) and "Copyleft" not in category(expression):
            tally["copyleft read as something else"] += 1
            tally["copyleft read as permissive"] += category(expression) in {"Permissive", "Public Domain"}
            print(f"    lost copyleft: {other} read as {expression or 'nothing'}: {notice[:200]!r}")
        elif not same:
            print(f"    default: {other or 'nothing'}; ours: {expression or 'nothing'}")
    print(f"{len(chosen)} distinct notices: {dict(tally)}")


def compare_rules(trees: list[Tree], count: int) -> None:
    """Notices read with the shortlist of rules, and with all of them."""
    texts = {
        notice_key(header.notice): header.notice
        for tree in trees
        for text in tree.files.values()
        if (header := read_header(text)).notice
    }
    chosen = list(texts.values())[:count]
    said: dict[str, list[object]] = {}
    for how in ("detect_text", "detect_by_all_rules"):
        with Pool(1, Limits(memory=2560 * MIB, seconds=120, recycle_after=count + 1)) as pool:
            pool.run(f"corpus.licenses.detect:{how}", "License: MIT")
            begun = descendants_seconds()
            said[how] = [pool.run(f"corpus.licenses.detect:{how}", text) for text in chosen]
            each = (descendants_seconds() - begun) / max(1, len(chosen))
        print(f"{how}: {each:.4f} s of processor time a notice")
    alike = sum(one == other for one, other in zip(*said.values(), strict=True))
    print(f"{alike} of {len(chosen)} answers are equal")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "whence-cache")
    parser.add_argument(
        "--matcher", type=int, default=0, metavar="N", help="compare N notices with the default matcher"
    )
    parser.add_argument("--rules", type=int, default=0, metavar="N", help="compare N notices with all rules")
    parser.add_argument("purls", nargs="*", default=list(RELEASES))
    options = parser.parse_args()
    print(
        "| release | files | sources | distinct notices | s cold | files/s | sources/s | s warm | as dep5 |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    trees = []
    for purl in options.purls:
        trees.append(unpack(purl, options.cache))
        report(purl, trees[-1])
    if options.matcher:
        compare_matchers(trees, options.matcher)
    if options.rules:
        compare_rules(trees, options.rules)


if __name__ == "__main__":
    main()
