"""CycloneDX 1.6 as JSON: a library for each origin's release, in it a file for each finding.

A file's license is evidence about the origin, not a claim about the project. Where in the project the
similar lines are is an occurrence; verdict and figures are properties named `whence:…`.
"""

from __future__ import annotations

import json
from typing import Any

from app.report import wording
from app.report.escape import package_uri, visible, web_address
from app.report.identity import numbered, package_name
from app.report.model import Finding, Report
from app.report.renderers import RenderContext


def render(report: Report, context: RenderContext) -> str:
    """One BOM. Without `context.time` it has no timestamp; a partial search is an incomplete composition."""
    libraries: dict[str, dict[str, Any]] = {}
    for finding, key, occurrence in numbered(report.findings):
        purl = finding.origin.purl
        library = libraries.setdefault(purl, _library(f"origin-{len(libraries) + 1}", purl))
        library["components"].append(_file(f"{key}-{occurrence}", finding))
    tool = {"type": "application", "name": "Whence", "version": visible(report.engine.version, 100)}
    project: dict[str, Any] = {"type": "application", "name": "searched-change", "bom-ref": "project"}
    if address := web_address(context.project_url):
        project["externalReferences"] = [{"type": "vcs", "url": address}]
    bom: dict[str, Any] = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            **({"timestamp": context.time} if context.time else {}),
            "tools": {"components": [tool]},
            "component": project,
            "properties": [
                *_properties(
                    summary=wording.summary(report),
                    status=report.status,
                    worst=report.worst or "none",
                    scope=wording.scope(report),
                    outbound=visible(report.outbound, 200),
                ),
                *(_property("skipped", wording.skip_words(skip)) for skip in report.skipped),
                *(_property("limit", visible(limit, 1000)) for limit in report.limits),
            ],
        },
        "components": list(libraries.values()),
    }
    if report.status == "partial":
        bom["compositions"] = [{"aggregate": "incomplete", "assemblies": ["project"]}]
    return json.dumps(bom, indent=1) + "\n"


def _library(reference: str, purl: str) -> dict[str, Any]:
    name, version = package_name(purl)
    library: dict[str, Any] = {"type": "library", "bom-ref": reference, "name": name}
    if version:
        library["version"] = version
    return {**library, "purl": package_uri(purl), "components": []}


def _file(reference: str, finding: Finding) -> dict[str, Any]:
    region, origin, license, evidence = finding.region, finding.origin, finding.license, finding.evidence
    found: dict[str, Any] = {
        "occurrences": [{"location": visible(region.path), "line": region.start_line}],
    }
    if license.expression:
        found["licenses"] = [
            {"expression": visible(license.expression, 1000), "acknowledgement": "concluded"}
        ]
    file: dict[str, Any] = {
        "type": "file",
        "bom-ref": reference,
        "name": visible(origin.path),
        "evidence": found,
        "properties": [
            *_properties(
                id=visible(finding.id, 200),
                lines=wording.lines(region),
                origin=wording.origin(origin),
                license=wording.license_words(license),
                verdict=finding.verdict.status,
                rule=visible(finding.verdict.rule, 200),
                why=visible(finding.verdict.why, 1000),
                kind=evidence.kind,
                similarity=f"{evidence.similarity:.4f}",
                chance=f"{evidence.chance:.3g}",
                direction="unknown",
            ),
            *(
                _property("also", f"{wording.origin(other)}, {wording.license_name(other.license)}")
                for other in origin.also
            ),
        ],
    }
    if origin.swhid:
        file["swhid"] = [origin.swhid]
    if address := web_address(origin.url):
        file["externalReferences"] = [{"type": "source-distribution", "url": address}]
    return file


def _properties(**values: str) -> list[dict[str, str]]:
    return [_property(name, value) for name, value in values.items() if value]


def _property(name: str, value: str) -> dict[str, str]:
    return {"name": f"whence:{name}", "value": value}
