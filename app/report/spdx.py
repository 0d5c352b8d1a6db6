"""SPDX 2.3 as JSON: the files of the change, a snippet for each finding, a package for each origin's release.

Nothing is concluded: a similar text is no proof of a license, so conclusions are NOASSERTION and what was
found stands in the comments. SPDX demands a SHA-1 of each file and byte offsets of each snippet; they are
exact for `context.files`, otherwise placeholders that the comments name as such, beside the exact lines.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from app.report import wording
from app.report.escape import package_uri, visible, web_address
from app.report.identity import digest, package_name
from app.report.model import Finding, Report
from app.report.renderers import RenderContext

_UNKNOWN = "NOASSERTION"
_UNKNOWN_SHA1 = "0" * 40
_UNKNOWN_END = 2**31 - 1
_NO_TIME = "1970-01-01T00:00:00Z"
_UNCONCLUDED = {"licenseConcluded": _UNKNOWN, "copyrightText": _UNKNOWN}


def render(report: Report, context: RenderContext) -> str:
    """One document. Its namespace is named after its content; without `context.time` it is dated 1970."""
    paths = list(dict.fromkeys(finding.region.path for finding in report.findings))
    files = {path: f"SPDXRef-File-{number}" for number, path in enumerate(paths, 1)}
    origins = (origin for each in report.findings for origin in (each.origin, *each.origin.also))
    purls = list(dict.fromkeys(origin.purl for origin in origins))
    packages = {purl: f"SPDXRef-Package-{number}" for number, purl in enumerate(purls, 1)}
    snippets = [_snippet(number, each, files, context) for number, each in enumerate(report.findings, 1)]
    content = json.dumps(report.to_dict(), sort_keys=True)
    document = {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": "whence-report",
        "documentNamespace": f"https://spdx.org/spdxdocs/whence-report-{digest(content, context.time)[:32]}",
        "creationInfo": {
            "created": context.time or _NO_TIME,
            "creators": [f"Tool: Whence-{visible(report.engine.version, 100)}"],
        },
        "comment": _comment(report),
        "packages": [
            _package("SPDXRef-Project", "searched-change", "", web_address(context.project_url)),
            *(_origin_package(identifier, purl) for purl, identifier in packages.items()),
        ],
        "files": [_file(identifier, path, context) for path, identifier in files.items()],
        "snippets": snippets,
        "relationships": _relationships(report, files, packages),
    }
    return json.dumps({key: value for key, value in document.items() if value != []}, indent=1) + "\n"


def _comment(report: Report) -> str:
    told = [wording.summary(report), *(wording.skip_words(skip) for skip in report.skipped)]
    return "\n".join([*told, *(visible(limit, 1000) for limit in report.limits), wording.scope(report)])


def _package(identifier: str, name: str, version: str, location: str) -> dict[str, Any]:
    package = {
        "SPDXID": identifier,
        "name": name,
        "downloadLocation": location or _UNKNOWN,
        "filesAnalyzed": False,
        "licenseDeclared": _UNKNOWN,
        **_UNCONCLUDED,
    }
    return {**package, "versionInfo": version} if version else package


def _origin_package(identifier: str, purl: str) -> dict[str, Any]:
    name, version = package_name(purl)
    locator = {
        "referenceCategory": "PACKAGE-MANAGER",
        "referenceType": "purl",
        "referenceLocator": package_uri(purl),
    }
    return {**_package(identifier, name, version, ""), "externalRefs": [locator]}


def _file(identifier: str, path: str, context: RenderContext) -> dict[str, Any]:
    content = context.files.get(path)
    known = content is not None
    sha1 = hashlib.sha1(content, usedforsecurity=False).hexdigest() if content is not None else _UNKNOWN_SHA1
    file = {
        "SPDXID": identifier,
        "fileName": f"./{visible(path)}",
        "checksums": [{"algorithm": "SHA1", "checksumValue": sha1}],
        "licenseInfoInFiles": [_UNKNOWN],
        **_UNCONCLUDED,
    }
    return file if known else {**file, "comment": "The checksum is a placeholder: only the change was read."}


def _snippet(number: int, finding: Finding, files: dict[str, str], context: RenderContext) -> dict[str, Any]:
    region, verdict = finding.region, finding.verdict
    file = files[region.path]
    content = context.files.get(region.path)
    first, last = (
        (1, _UNKNOWN_END) if content is None else _bytes(content, region.start_line, region.end_line)
    )
    note = " The byte range is a placeholder, the line range is exact." if content is None else ""
    evidence = ". ".join(wording.evidence_words(finding.evidence))
    return {
        "SPDXID": f"SPDXRef-Snippet-{number}",
        "name": f"{visible(finding.id, 100)} {wording.lines(region)}",
        "snippetFromFile": file,
        "ranges": [
            {
                "startPointer": {"reference": file, "offset": first},
                "endPointer": {"reference": file, "offset": last},
            },
            {
                "startPointer": {"reference": file, "lineNumber": region.start_line},
                "endPointer": {"reference": file, "lineNumber": region.end_line},
            },
        ],
        "licenseInfoInSnippets": [_UNKNOWN],
        "licenseComments": f"The origin's license: {wording.license_words(finding.license)}. "
        f"Verdict {verdict.status} (rule {visible(verdict.rule, 200)}): {visible(verdict.why, 1000)}",
        "comment": f"Similar to {wording.origin(finding.origin)}. {evidence}.{note}",
        **_UNCONCLUDED,
    }


def _bytes(content: bytes, first: int, last: int) -> tuple[int, int]:
    """1-based offsets of the first and last byte of lines `first` to `last`, within the content."""
    lines = content.splitlines(keepends=True)
    start = sum(map(len, lines[: first - 1]))
    end = start + sum(map(len, lines[first - 1 : last]))
    return min(start + 1, max(len(content), 1)), max(end, start + 1, 1) if end > start else max(
        len(content), 1
    )


def _relationships(report: Report, files: dict[str, str], packages: dict[str, str]) -> list[dict[str, str]]:
    described = ["SPDXRef-Project", *files.values()]
    relationships = [_relationship("SPDXRef-DOCUMENT", "DESCRIBES", element) for element in described]
    for number, finding in enumerate(report.findings, 1):
        for origin in (finding.origin, *finding.origin.also):
            comment = (
                f"The snippet is similar to {wording.lines(origin)} of this package; {wording.DIRECTION}."
            )
            similar = _relationship(f"SPDXRef-Snippet-{number}", "OTHER", packages[origin.purl])
            relationships.append({**similar, "comment": comment})
    return relationships


def _relationship(element: str, kind: str, related: str) -> dict[str, str]:
    return {"spdxElementId": element, "relationshipType": kind, "relatedSpdxElement": related}
