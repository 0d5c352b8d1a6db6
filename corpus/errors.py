"""Errors with a slug, an HTTP status and a message that says what to do.

WhenceError
├── BadInput                 400  what the caller sent is malformed: names what and where
│   ├── BadPurl              400
│   ├── BadDiff              422
│   └── BadManifest          400
├── SourceError              502  a release could not be fetched: the others go on
│   ├── NotInRegistry        404  the registry no longer has it, or never had it
│   ├── DigestMismatch       502  the bytes are not those that the registry announced
│   ├── NoSource             404  the release has no source archive
│   └── NotConfigured        500  the client of that registry is not configured here
├── ArchiveError             422  an archive that cannot be read at all
├── SandboxError             500  a child that parses died, ran out of time or of memory
├── CorpusError              409
│   ├── NoCorpus             409  nothing is indexed yet
│   ├── UnknownRelease       404
│   ├── ParamsMismatch       409  built with other parameters: refuse, never mix
│   ├── CorruptSnapshot      500  a hash does not fit
│   └── BadCalibration       500  the measured chance of a snapshot cannot be read
└── MissingExtra             500  an optional part is not installed
"""

from __future__ import annotations

from typing import ClassVar


class WhenceError(Exception):
    """Base of all errors that a user can read. `slug` names the kind for machines."""

    slug: ClassVar[str] = "error"
    status: ClassVar[int] = 500

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message

    def __reduce__(self) -> tuple[object, ...]:
        # Errors cross process borders; subclasses have other constructors.
        return _restore, (type(self), self.message, self.__dict__)


def _restore(kind: type[WhenceError], message: str, state: dict[str, object]) -> WhenceError:
    error = kind.__new__(kind)
    Exception.__init__(error, message)
    error.__dict__.update(state)
    return error


class BadInput(WhenceError):
    slug, status = "bad-input", 400


class BadPurl(BadInput):
    slug = "bad-purl"

    def __init__(self, purl: str, why: str) -> None:
        super().__init__(f"{purl!r} is not a package URL that can be indexed: {why}")


class BadDiff(BadInput):
    slug, status = "bad-diff", 422

    def __init__(self, line: int, why: str) -> None:
        super().__init__(f"line {line} of the diff: {why}")
        self.line = line


class BadManifest(BadInput):
    slug = "bad-manifest"

    def __init__(self, path: object, why: str) -> None:
        super().__init__(f"manifest {path}: {why}")


class SourceError(WhenceError):
    slug, status = "source-error", 502

    def __init__(self, purl: str, why: str) -> None:
        super().__init__(f"{purl}: {why}")
        self.purl = purl


class NotInRegistry(SourceError):
    slug, status = "not-in-registry", 404


class DigestMismatch(SourceError):
    slug = "digest-mismatch"

    def __init__(self, purl: str, name: str, algorithm: str, expected: str, actual: str) -> None:
        super().__init__(purl, f"{name} has {algorithm} {actual[:16]}… but {expected[:16]}… was announced")


class NoSource(SourceError):
    slug, status = "no-source", 404


class NotConfigured(SourceError):
    slug, status = "not-configured", 500


class ArchiveError(WhenceError):
    slug, status = "bad-archive", 422


class SandboxError(WhenceError):
    """`reason` is one of `timeout`, `memory`, `crash`."""

    slug = "sandbox"

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class CorpusError(WhenceError):
    slug, status = "corpus-error", 409


class NoCorpus(CorpusError):
    slug = "no-corpus"

    def __init__(self, folder: object) -> None:
        super().__init__(
            f"no corpus is published in {folder}. Add releases first, for example "
            "`whence corpus add pkg:pypi/chardet@5.2.0`, or `whence corpus add --manifest FILE`."
        )


class UnknownRelease(CorpusError):
    slug, status = "unknown-release", 404

    def __init__(self, purl: str) -> None:
        super().__init__(f"{purl} is not in this corpus. `whence corpus list` shows what is.")


class ParamsMismatch(CorpusError):
    slug = "params-mismatch"

    def __init__(self, what: object, found: str, expected: str) -> None:
        super().__init__(
            f"{what} was built with parameters {found}, this version uses {expected}. "
            "Index the releases again: `whence corpus add` (the archives are cached)."
        )


class CorruptSnapshot(CorpusError):
    slug, status = "corrupt-snapshot", 500

    def __init__(self, path: object, why: str) -> None:
        super().__init__(
            f"{path} is damaged ({why}). `whence corpus build` makes a snapshot anew from the segments, "
            "`whence corpus add --again PURL` a segment; `whence doctor` names what is damaged."
        )


class BadCalibration(CorpusError):
    slug, status = "bad-calibration", 500

    def __init__(self, path: object, why: str) -> None:
        super().__init__(
            f"{path} cannot be used ({why}). `whence corpus calibrate` measures it anew; without the file "
            "built-in figures are used."
        )


class MissingExtra(WhenceError):
    slug = "missing-extra"

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(f"{what} needs an optional part: pip install 'whence[{extra}]'")
