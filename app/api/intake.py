"""The three bodies that a scan can be posted with, each turned into a `Submission`. No text is parsed here.

text/x-diff          the diff alone; options in the query
application/json     `ScanBody`
multipart/form-data  `diff`, `file` (its filename is the path; once for each file), `message`, `pull_request`,
                     and the options
"""

from __future__ import annotations

from typing import Annotated, Any, Self, TypeVar

from fastapi import Request
from pydantic import Field, ValidationError, model_validator
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from app.api.handlers import field_errors
from app.api.problems import BadRequest, Invalid, UnsupportedMedia
from app.api.strict_json import Body, DiffText, FilePath, Line, LongText, examples, read_json
from app.api.strict_route import media_type
from app.services.submission import MAX_FILES, Submission

Model = TypeVar("Model", bound=Body)
DIFF_TYPES = ("text/x-diff", "text/x-patch")
MAX_MESSAGES = 500
_KEEP_IN_MEMORY = 64 << 20  # more than any body: nothing that was submitted touches a disk
_PARTS = ("diff", "file", "message", "pull_request", "policy", "policy_name", "outbound", "label", "retain")

DIFF = """\
diff --git a/src/gcd.c b/src/gcd.c
--- a/src/gcd.c
+++ b/src/gcd.c
@@ -1,2 +1,5 @@
 #include "gcd.h"
+unsigned gcd(unsigned a, unsigned b)
+{
+    return b ? gcd(b, a % b) : a;
+}
"""


class FileText(Body):
    """A file of the change, as it is afterwards."""

    path: FilePath
    text: DiffText


class Options(Body):
    """What can be said beside the change, in every kind of body."""

    policy: LongText | None = Field(
        default=None, description="A policy as TOML, like `[tool.whence]` of a pyproject.toml."
    )
    policy_name: Line | None = Field(
        default=None, description="A policy that was stored under `/v1/policies`."
    )
    outbound: Line | None = Field(
        default=None, description="Licence of the project that receives the change (SPDX expression)."
    )
    label: Annotated[str, Field(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")] = Field(
        default="", description="Shown in lists."
    )
    retain: Annotated[int, Field(strict=True, ge=0, le=2**31 - 1)] | None = Field(
        default=None,
        description="Seconds that the text is kept after the scan; 0: none. At most what the server allows.",
    )


class ScanBody(Options):
    """A change to search: a diff (with the files that it touches, if they are at hand), or whole files."""

    model_config = examples(
        {"diff": DIFF, "outbound": "BSD-3-Clause", "label": "pull request 7", "retain": 0},
        {
            "files": [{"path": "src/gcd.c", "text": "unsigned gcd(unsigned a, unsigned b);\n"}],
            "messages": ["Add gcd\n\nWritten by hand."],
            "policy": 'outbound = "BSD-3-Clause"\npreset = "permissive"\n',
        },
    )

    diff: DiffText | None = None
    files: list[FileText] = Field(default=[], max_length=MAX_FILES)
    messages: list[LongText] = Field(default=[], max_length=MAX_MESSAGES, description="Commit messages.")
    pull_request: LongText | None = Field(
        default=None, description="Text of the pull request, read for declared AI use."
    )

    @model_validator(mode="after")
    def _something_to_search(self) -> Self:
        if self.diff is None and not self.files:
            raise ValueError("give a diff, or files")
        if self.policy is not None and self.policy_name is not None:
            raise ValueError("give policy or policy_name, not both")
        if len({file.path for file in self.files}) != len(self.files):
            raise ValueError("two files have the same path")
        return self


async def read_submission(request: Request) -> Submission:
    """The submission in a request's body. Raises RequestError of several kinds."""
    kind = media_type(request)
    if kind in DIFF_TYPES:
        options = _validated(Options, _from_query(request))
        return _submission(options, await request.body(), {}, (), None)
    if kind == "application/json":
        body = _validated(ScanBody, read_json(await request.body()))
        diff = None if body.diff is None else _bytes(body.diff)
        files = {f.path: _bytes(f.text) for f in body.files}
        return _submission(body, diff, files, body.messages, body.pull_request)
    if kind == "multipart/form-data":
        return await _from_parts(request)
    accepted = ("text/x-diff", "application/json", "multipart/form-data")
    raise UnsupportedMedia(f"send one of: {', '.join(accepted)}", headers={"Accept": ", ".join(accepted)})


def _bytes(text: str) -> bytes:
    return text.encode("utf-8")


def _submission(
    options: Options,
    diff: bytes | None,
    files: dict[str, bytes],
    messages: list[str] | tuple[str, ...],
    pull_request: str | None,
) -> Submission:
    return Submission(
        diff=diff,
        files=files,
        messages=messages,
        pull_request=pull_request,
        policy=options.policy,
        policy_name=options.policy_name,
        outbound=options.outbound,
        retain=options.retain,
        label=options.label,
    )


def _from_query(request: Request) -> dict[str, Any]:
    given = request.query_params.multi_items()
    if len({name for name, _ in given}) != len(given):
        raise BadRequest("An option is in the query twice.")
    return _options(dict(given))


def _options(given: dict[str, Any]) -> dict[str, Any]:
    """Options that arrived as texts: `retain` is a number, or `none`."""
    if isinstance(retain := given.get("retain"), str):
        given["retain"] = (
            0 if retain == "none" else int(retain) if retain.isdecimal() and len(retain) < 12 else retain
        )
    return given


def _validated(model: type[Model], value: Any) -> Model:
    try:
        return model.model_validate(value)
    except ValidationError as error:
        errors = [{**each, "loc": ("body", *each["loc"])} for each in error.errors(include_input=False)]
        raise Invalid(field_errors(errors)) from None


async def _from_parts(request: Request) -> Submission:
    parser = MultiPartParser(
        request.headers, request.stream(), max_files=MAX_FILES + 1, max_fields=MAX_MESSAGES + 10,
        max_part_size=5 << 20,
    )  # fmt: skip
    parser.spool_max_size = _KEEP_IN_MEMORY
    try:
        form = await parser.parse()
    except (MultiPartException, KeyError, ValueError, LookupError):
        raise BadRequest("The body is not valid multipart/form-data.") from None
    diff: bytes | None = None
    files: dict[str, bytes] = {}
    messages: list[str] = []
    options: dict[str, Any] = {}
    try:
        for name, value in form.multi_items():
            if name not in _PARTS:
                raise _wrong("a part", f"is none of {', '.join(_PARTS)}")
            data = await value.read() if isinstance(value, UploadFile) else value
            if name == "diff":
                if diff is not None:
                    raise _wrong("diff", "is there twice")
                diff = data if isinstance(data, bytes) else _storable(data)
            elif name == "file":
                path = value.filename if isinstance(value, UploadFile) else None
                if not path or not isinstance(data, bytes) or path in files:
                    raise _wrong("file", "needs a filename of its own: the path")
                files[path] = data
            elif name == "message":
                messages.append(_text(data))
            elif name in options:
                raise _wrong(name, "is there twice")
            else:
                options[name] = _text(data)
    finally:
        await form.close()
    for path in files:
        _validated(FileText, {"path": path, "text": ""})
    pull_request = options.pop("pull_request", None)
    return _submission(_validated(Options, _options(options)), diff, files, messages, pull_request)


def _wrong(name: str, why: str) -> Invalid:
    return Invalid([{"where": f"body.{name}", "rule": why}])


def _storable(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _text(data: str | bytes) -> str:
    try:
        text = data if isinstance(data, str) else data.decode("utf-8")
        text.encode("utf-8")
    except UnicodeError:
        raise BadRequest("A part that is text is not UTF-8.") from None
    if "\0" in text:
        raise BadRequest("A part that is text holds NUL.")
    return text
