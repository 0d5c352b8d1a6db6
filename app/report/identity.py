"""Names for the findings of one report that are unique in it and stay when lines move. Pure.

`Finding.id` names the code and its origin; the same code added twice has the same id twice, and some
formats demand unique ones.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator

from packageurl import PackageURL

from app.report.escape import visible
from app.report.model import Finding


def numbered(findings: Iterable[Finding]) -> Iterator[tuple[Finding, str, int]]:
    """(finding, stable key of id and path, 1-based occurrence of that key counted down the file)."""
    findings = list(findings)
    seen: Counter[str] = Counter()
    occurrences: dict[int, tuple[str, int]] = {}
    down_the_file = sorted(range(len(findings)), key=lambda index: _position(findings[index]))
    for index in down_the_file:
        finding = findings[index]
        key = digest(finding.id, finding.region.path)[:16]
        seen[key] += 1
        occurrences[index] = key, seen[key]
    for index, finding in enumerate(findings):
        yield finding, *occurrences[index]


def digest(*parts: str) -> str:
    """SHA-256 of texts, as 64 hex digits."""
    joined = "\0".join(parts).encode("utf-8", "backslashreplace")
    return hashlib.sha256(joined).hexdigest()


def _position(finding: Finding) -> tuple[str, int, int, str, str]:
    region = finding.region
    return region.path, region.start_line, region.end_line, finding.origin.purl, finding.origin.path


def package_name(purl: str) -> tuple[str, str]:
    """Name (with its namespace) and version of a package URL; the URL itself and "" if it is none."""
    try:
        package = PackageURL.from_string(purl)
    except ValueError:
        return visible(purl, 200), ""
    name = f"{package.namespace}/{package.name}" if package.namespace else package.name
    return visible(name, 200), visible(package.version or "", 200)
