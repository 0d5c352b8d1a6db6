"""What a client hands in, checked and packed before any transaction opens.

`prepare` is called by the API (and by whatever else makes scans) outside a transaction: it has a child check
the policy's text, packs the submitted text and names the snapshot. No submitted byte is parsed here.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import msgpack
import zstandard

from app.context import ENGINE, Context
from app.errors import TooLarge
from corpus.errors import BadInput

Kind = Literal["diff", "files", "fingerprints"]

MAX_FILES = 5000
MAX_POLICY = 200_000


@dataclass(frozen=True, slots=True)
class Submission:
    """A request to search. Exactly one of diff, files (without diff) and fingerprints is given.

    files: path → bytes: post-images of files that the diff touches; without a diff, files to search whole.
    messages: commit messages. pull_request: its text, read for declared AI use. fingerprints: one plain value
    a file, as `app.scan.wire.encode_query(query, spelling=False)` makes it. policy: TOML text of a policy;
    policy_name: of one stored by this tenant. outbound: SPDX expression that replaces the policy's. retain:
    seconds that the text is kept after the scan (0: until its end); None and more than the setting allows:
    the setting. label: shown in lists.
    """

    diff: bytes | None = None
    files: Mapping[str, bytes] = field(default_factory=dict)
    messages: Sequence[str] = ()
    pull_request: str | None = None
    fingerprints: Sequence[Any] = ()
    policy: str | None = None
    policy_name: str | None = None
    outbound: str | None = None
    retain: int | None = None
    label: str = ""

    @property
    def kind(self) -> Kind:
        return "diff" if self.diff is not None else "fingerprints" if self.fingerprints else "files"


@dataclass(frozen=True, slots=True)
class Prepared:
    """A checked submission, ready for `app.services.scans.accept`. body: zstd of msgpack; size: before that.

    digest: of the submitted content. request: of everything the client sent, for its Idempotency-Key.
    """

    submission: Submission
    body: bytes
    size: int
    digest: str
    request: str
    retain: int
    snapshot: str
    engine: str = ENGINE


async def prepare(context: Context, submission: Submission) -> Prepared:
    """Check and pack. Raises BadInput, BadPolicy, TooLarge, NoCorpus."""
    settings = context.settings
    _check(submission, settings.max_diff, settings.max_body)
    snapshot = context.snapshots.current_id()
    if submission.policy:
        await check_policy(context, submission.policy)
    if submission.outbound:
        await check_policy(context, "", submission.outbound)
    retain = settings.retain_source if submission.retain is None else submission.retain
    return await asyncio.to_thread(_pack, submission, max(0, min(retain, settings.retain_source)), snapshot)


async def check_policy(context: Context, text: str, outbound: str | None = None) -> str:
    """The digest of a policy, parsed in a child. Raises BadPolicy with the line, or BadInput."""
    if len(text) > MAX_POLICY:
        raise TooLarge("the policy", len(text), MAX_POLICY)
    digest: str = await asyncio.to_thread(
        context.children.run, "app.scan.child:policy_digest", text, outbound, seconds=10.0
    )
    return digest


def _check(submission: Submission, max_diff: int, max_body: int) -> None:
    given = (submission.diff is not None, bool(submission.fingerprints))
    if all(given) or not (any(given) or submission.files):
        raise BadInput("give one of: a diff, files, fingerprints")
    if submission.diff is not None and len(submission.diff) > max_diff:
        raise TooLarge("the diff", len(submission.diff), max_diff)
    if submission.policy is not None and submission.policy_name is not None:
        raise BadInput("give the policy's text or its name, not both")
    if len(submission.files) > MAX_FILES or len(submission.fingerprints) > MAX_FILES:
        raise BadInput(f"more than {MAX_FILES} files")
    size = sum(len(data) for data in submission.files.values())
    if size > max_body:
        raise TooLarge("the files together", size, max_body)


def _pack(submission: Submission, retain: int, snapshot: str) -> Prepared:
    content = {
        "kind": submission.kind,
        "diff": submission.diff,
        "files": dict(sorted(submission.files.items())),
        "messages": list(submission.messages),
        "pull_request": submission.pull_request,
        "fingerprints": list(submission.fingerprints),
    }
    raw: bytes = msgpack.packb(content, use_bin_type=True, unicode_errors="surrogatepass")
    digest = hashlib.sha256(raw).hexdigest()
    options = [digest, submission.policy, submission.policy_name, submission.outbound, submission.retain]
    return Prepared(
        submission,
        zstandard.ZstdCompressor(level=3).compress(raw),
        len(raw),
        digest,
        hashlib.sha256(msgpack.packb([*options, submission.label])).hexdigest(),
        retain,
        snapshot,
    )
