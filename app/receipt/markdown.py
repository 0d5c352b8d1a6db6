"""A receipt as Markdown, short enough for a pull request. Texts of others stand in code spans or escaped."""

from __future__ import annotations

from collections import Counter

from app.receipt.body import Body, Found
from app.receipt.signature import Receipt
from app.report import wording
from app.report.escape import code, prose
from app.report.model import SEVERITY

MOST_FINDINGS = 8
MOST_LIMITS = 6
MOST_LICENSES = 5


def render(receipt: Receipt) -> str:
    """At most some 5 kB."""
    body = receipt.body
    lines = [f"### Receipt of a search: {_title(body)}", "", *_searched(body), ""]
    if body.findings:
        lines += ["| verdict | lines | similar to | license |", "|---|---|---|---|"]
        lines += [_row(found) for found in body.findings[:MOST_FINDINGS]]
        if more := len(body.findings) - MOST_FINDINGS:
            lines += [f"| | and {more:,} more | | |"] if more > 0 else []
        lines.append("")
    lines += [f"- Not covered: {prose(limit, 240)}" for limit in body.limits[:MOST_LIMITS]]
    if len(body.limits) > MOST_LIMITS:
        lines.append(f"- and {len(body.limits) - MOST_LIMITS:,} more limits; the receipt has all")
    return "\n".join([*lines, "", f"<sub>{_signed(receipt)}</sub>"]) + "\n"


def _signed(receipt: Receipt) -> str:
    body, signed = receipt.body, receipt.signed
    policy = f"{code(body.policy.name, 60)} ({code(body.policy.digest, 40)})"
    return (
        f"Engine {code(body.engine.version, 40)} (parameters {code(body.engine.params_digest, 40)}), policy "
        f"{policy}, outbound {code(body.policy.outbound or 'not given', 80)}. Body {code(body.digest[:16])}, "
        f"signed {signed.at} by key {code(signed.fingerprint)}. It states what was searched and is no "
        "approval."
    )


def _title(body: Body) -> str:
    if body.findings:
        tally = Counter(found.status for found in body.findings)
        title = ", ".join(f"{tally[status]:,} {status}" for status in reversed(SEVERITY) if tally[status])
    else:
        title = "nothing was searched" if body.worst is None else "no similar code found"
    return f"{title} (partial search)" if body.status == "partial" else title


def _searched(body: Body) -> list[str]:
    lines = sum(region.end_line - region.start_line + 1 for region in body.regions)
    files = len({region.path for region in body.regions})
    without = sum(not region.findings for region in body.regions)
    index = body.index
    most = sorted(index.licenses.items(), key=lambda item: (-item[1], item[0]))
    named = ", ".join(f"{code(name or 'unknown', 60)} {number:,}" for name, number in most[:MOST_LICENSES])
    others = sum(number for _, number in most[MOST_LICENSES:])
    said = [
        f"- Searched: {wording.count(lines, 'added line')} of {wording.count(files, 'file')} in "
        f"{wording.count(len(body.regions), 'region')}; {without:,} of them without findings",
        f"- In: {wording.count(index.releases, 'release')}, {wording.count(index.files, 'file')}, snapshot "
        f"{code(index.snapshot, 64)}, list of releases {code(index.releases_sha256[:16])}",
        f"- Files by license: {named}{f', others {others:,}' if others else ''}",
    ]
    if body.not_searched:
        partial = sum(skip.partial for skip in body.not_searched)
        note = f", **{partial:,} of them should have been**" if partial else ""
        said.append(f"- Not searched: {wording.count(len(body.not_searched), 'part')} of the change{note}")
    if body.ai_use is not None:
        declared = "; ".join(prose(each, 100) for each in body.ai_use.statements[:3]) or "nothing declared"
        said.append(f"- Declared AI use (rule {code(body.ai_use.rule, 40)}): {declared}")
    return said


def _row(found: Found) -> str:
    lines = f"{found.path}:{found.start_line}-{found.end_line}"
    origin = f"{code(found.purl, 120)} {code(found.origin_path, 80)}"
    license = code(found.license or "license unknown", 80)
    return f"| **{found.status}** | {code(lines, 120)} | {origin} | {license} |"
