"""SARIF 2.1.0, for code scanning pages and editors: one result a finding, one rule a verdict and policy rule.

Fingerprints stay when lines move. A partial search is a run that was not successful, with a notification
for each part that was not searched. Leads are left out: a result is something that a verdict stands for.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from app.report import wording
from app.report.escape import package_uri, uri_path, visible, web_address
from app.report.identity import numbered
from app.report.model import Finding, OriginLines, RegionRef, Report, Skipped
from app.report.renderers import RenderContext

_LEVELS = {"conflict": "error", "review": "warning", "attribution": "note", "ok": "none"}
_ROOT = "%SRCROOT%"


def render(report: Report, context: RenderContext) -> str:
    """One SARIF log with one run. Regions are clipped to `context.added_lines` where it has their path."""
    rules = list(dict.fromkeys(_rule_id(finding) for finding in report.findings))
    results = [
        _result(finding, key, occurrence, rules, context)
        for finding, key, occurrence in numbered(report.findings)
    ]
    run: dict[str, Any] = {
        "tool": {
            "driver": {
                "name": "Whence",
                "version": visible(report.engine.version, 100),
                "rules": list(_rules(report, rules)),
                "notifications": [
                    {"id": "not-searched", "shortDescription": {"text": "A part that was not searched."}},
                    {"id": "limit", "shortDescription": {"text": "What this search does not cover."}},
                ],
            }
        },
        "automationDetails": {"id": "whence/"},
        "invocations": [_invocation(report, context)],
        "originalUriBaseIds": {_ROOT: {"description": {"text": "The root of the project."}}},
        "columnKind": "unicodeCodePoints",
        "results": results,
        "properties": {
            "summary": wording.summary(report),
            "status": report.status,
            "worst": report.worst,
            "outbound": report.outbound,
            "snapshot": report.snapshot.id,
            "policy": {"name": report.policy.name, "digest": report.policy.digest},
            "paramsDigest": report.engine.params_digest,
        },
    }
    if address := web_address(context.project_url):
        run["versionControlProvenance"] = [{"repositoryUri": address}]
    schema = "https://json.schemastore.org/sarif-2.1.0.json"
    return json.dumps({"$schema": schema, "version": "2.1.0", "runs": [run]}, indent=1) + "\n"


def message(text: str) -> dict[str, str]:
    """A message in which brackets and braces mean themselves, not links and placeholders (3.11.5, 3.11.6)."""
    for bracket in "[]":
        text = text.replace(bracket, f"\\{bracket}")
    return {"text": text.replace("{", "{{").replace("}", "}}")}


def _rule_id(finding: Finding) -> str:
    return f"{finding.verdict.status}/{visible(finding.verdict.rule, 200)}"


def _rules(report: Report, ids: list[str]) -> Iterator[dict[str, Any]]:
    first = {_rule_id(finding): finding for finding in reversed(report.findings)}
    for name in ids:
        status = first[name].verdict.status
        yield {
            "id": name,
            "shortDescription": message(f"Similar code, {status}: {wording.VERDICTS[status]}"),
            "fullDescription": message(
                f"The added lines match indexed code, and {wording.VERDICTS[status]} "
                f"(rule {visible(first[name].verdict.rule, 200)}). {wording.DIRECTION.capitalize()}."
            ),
            "defaultConfiguration": {"level": _LEVELS[status]},
            "properties": {"tags": ["license", "provenance"], "verdict": status},
        }


def _result(
    finding: Finding, key: str, occurrence: int, rules: list[str], context: RenderContext
) -> dict[str, Any]:
    verdict, evidence = finding.verdict, finding.evidence
    rule = _rule_id(finding)
    sentences = [
        f"{wording.lines(finding.region)} is similar to {wording.origin(finding.origin)}",
        f"License: {wording.license_words(finding.license)}",
        f"Verdict {verdict.status}: {visible(verdict.why, 1000) or wording.VERDICTS[verdict.status]}",
        *wording.evidence_words(evidence),
        *([f"What to do: {visible(verdict.what_to_do, 2000)}"] if verdict.what_to_do else []),
    ]
    others = (finding.origin, *finding.origin.also)
    licenses = (finding.license, *(other.license for other in finding.origin.also))
    return {
        "ruleId": rule,
        "ruleIndex": rules.index(rule),
        "kind": "informational" if verdict.status == "ok" else "fail",
        "level": _LEVELS[verdict.status],
        "message": message(". ".join(sentence.rstrip(".") for sentence in sentences) + "."),
        "locations": [{"physicalLocation": _place(_clipped(finding.region, context))}],
        "relatedLocations": [
            {
                "id": number,
                "physicalLocation": {
                    "artifactLocation": {"uri": _origin_uri(other)},
                    "region": {"startLine": other.start_line, "endLine": other.end_line},
                },
                "message": message(f"{wording.origin(other)}, {wording.license_name(license)}"),
            }
            for number, (other, license) in enumerate(zip(others, licenses, strict=True), 1)
        ],
        "partialFingerprints": {
            "primaryLocationLineHash": f"{key}:{occurrence}",
            "whence/findingId/v1": finding.id,
        },
        "properties": {
            "evidence": evidence.kind,
            "similarity": evidence.similarity,
            "chance": evidence.chance,
            "license": finding.license.expression,
            "origin": finding.origin.purl,
            "originPath": finding.origin.path,
        },
    }


def _clipped(region: RegionRef, context: RenderContext) -> tuple[str, int, int]:
    """The region from its first to its last added line."""
    spans = [
        (max(first, region.start_line), min(last, region.end_line))
        for first, last in context.added_lines.get(region.path, ())
        if first <= region.end_line and region.start_line <= last
    ]
    if not spans:
        return region.path, region.start_line, region.end_line
    return region.path, min(first for first, _ in spans), max(last for _, last in spans)


def _place(span: tuple[str, int, int]) -> dict[str, Any]:
    path, start, end = span
    return {
        "artifactLocation": {"uri": uri_path(path), "uriBaseId": _ROOT},
        "region": {"startLine": start, "endLine": end},
    }


def _origin_uri(origin: OriginLines) -> str:
    """The file's web address, or its package URL with the path as the subpath."""
    return web_address(origin.url) or f"{package_uri(origin.purl)}#{uri_path(origin.path)}"


def _invocation(report: Report, context: RenderContext) -> dict[str, Any]:
    invocation: dict[str, Any] = {
        "executionSuccessful": report.status == "complete",
        "toolExecutionNotifications": [
            *(_notification(skip) for skip in report.skipped),
            *(
                {"descriptor": {"id": "limit"}, "level": "note", "message": message(visible(limit, 1000))}
                for limit in report.limits
            ),
        ],
    }
    if context.time:
        invocation["endTimeUtc"] = context.time
    return invocation


def _notification(skip: Skipped) -> dict[str, Any]:
    notification: dict[str, Any] = {
        "descriptor": {"id": "not-searched"},
        "level": "error" if skip.partial else "note",
        "message": message(f"Not searched: {wording.skip_words(skip)}"),
    }
    if skip.path:
        place = {"artifactLocation": {"uri": uri_path(skip.path), "uriBaseId": _ROOT}}
        notification["locations"] = [{"physicalLocation": place}]
    return notification
