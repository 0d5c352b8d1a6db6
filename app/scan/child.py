"""What runs inside the children that parse submitted bytes. Plain values in, plain values out.

Named as `app.scan.child:function` by app.scan.guarded and app.services; imported by nobody but the children.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

import msgpack
import zstandard

from app.disclosure import rules
from app.policy.parse import parse, with_outbound
from app.report.codec import encode
from app.scan.diff import Diff, read_diff, read_files
from app.scan.wire import decode_query, decode_regions, encode_diff, encode_query
from corpus.errors import BadInput
from corpus.model import ChangedFile, Region
from corpus.query import make_query

MAX_BODY = 64 << 20
WHERE = "the policy"


def read(body: bytes) -> dict[str, Any]:
    """The submitted change with its commit messages, and the text of its pull request or None.

    body: as app.services.submission packs it. Raises BadDiff.
    """
    content = _unpack(body)
    if content["kind"] == "diff":
        diff = _with_images(read_diff(content["diff"]), content["files"])
    elif content["kind"] == "files":
        diff = read_files(content["files"])
    else:
        raise BadInput("sketches are no change to read")
    messages = tuple(text.encode("utf-8", "replace") for text in content["messages"])
    diff = replace(diff, commits=(*diff.commits, *messages))
    return {"diff": encode_diff(diff), "pull_request": content["pull_request"]}


def ai_use(commits: list[bytes], pull_request: str | None, setting: str) -> Any:
    """What the change declares about AI use, as app.report.codec encodes it, or None."""
    return encode(rules.ai_use(commits, pull_request, setting))


def sketches(body: bytes) -> list[dict[str, Any]]:
    """The submitted sketches, checked. Raises BadWire."""
    return [encode_query(decode_query(value)) for value in _unpack(body)["fingerprints"]]


def query(path: str, regions: list[Any], language: str) -> dict[str, Any]:
    """One changed file, tokenised and sketched."""
    return encode_query(make_query(ChangedFile(path, decode_regions(regions)), language))


def queries(files: list[list[Any]]) -> list[dict[str, Any]]:
    """Several small ones, each given as the arguments of `query`."""
    return [query(*file) for file in files]


def policy_digest(text: str, outbound: str | None) -> str:
    """Raises BadPolicy with the line."""
    policy = parse(text, WHERE)
    return (policy if outbound is None else with_outbound(policy, outbound)).digest


def excluded(patterns: list[str], paths: list[str]) -> list[str]:
    """Those of `paths` that the gitignore patterns leave out."""
    from pathspec import GitIgnoreSpec

    return list(GitIgnoreSpec.from_lines(patterns).match_files(paths))


def compare(left: list[Any], right: list[Any], language: str | None) -> dict[str, Any]:
    """The fields of Comparison, and what each text was read as."""
    from corpus.compare import compare as compare_texts
    from corpus.languages import LANGUAGES, language_of

    if language is not None and language not in LANGUAGES:
        raise BadInput(f"{language!r} is none of {', '.join(sorted(LANGUAGES))}")
    sides = [
        (path, text, language or language_of(path, text[:4000]) or "text") for path, text in (left, right)
    ]
    found = asdict(compare_texts(sides[0], sides[1]))
    found["line_pairs"] = [list(pair) for pair in found["line_pairs"]]
    return {**found, "languages": [side[2] for side in sides]}


def _unpack(body: bytes) -> dict[str, Any]:
    raw = zstandard.ZstdDecompressor().decompress(body, max_output_size=MAX_BODY)
    content: dict[str, Any] = msgpack.unpackb(raw, raw=False, unicode_errors="surrogatepass")
    return content


def _with_images(diff: Diff, images: dict[str, bytes]) -> Diff:
    """Files whose text after the change is known are read whole: tokens at the edges of hunks come out right.

    Only where every line of the diff stands in that text where the diff says.
    """
    if not images:
        return diff
    whole = tuple(_whole(changed, images.get(changed.path)) for changed in diff.files)
    return Diff(whole, diff.skips, diff.added, diff.removed, diff.unread, diff.commits)


def _whole(changed: ChangedFile, image: bytes | None) -> ChangedFile:
    if image is None:
        return changed
    read_image = read_files({changed.path: image}).files
    if not read_image:
        return changed
    lines = read_image[0].regions[0].lines
    added = [False] * len(lines)
    for region in changed.regions:
        at = region.first_line - 1
        if lines[at : at + len(region.lines)] != region.lines:
            return changed
        added[at : at + len(region.lines)] = region.added
    return ChangedFile(changed.path, (Region(1, lines, tuple(added)),))
