"""Reports that the tests of app/report share, built by `assemble` as the scan pipeline does. All invented."""

from __future__ import annotations

from dataclasses import replace

from app.report import RenderContext, Report, assemble
from app.report.model import (
    AiStatement,
    AiUse,
    AlsoOrigin,
    Engine,
    Evidence,
    Finding,
    Kind,
    Lead,
    License,
    LicenseConflict,
    Origin,
    PolicyRef,
    RegionRef,
    Skipped,
    Snapshot,
    Verdict,
    VerdictStatus,
)

ENGINE = Engine("0.1.0", "0123456789abcdef")
SNAPSHOT = Snapshot("5e1f0c", 53, 17_739, 107_000, {"GPL-3.0-or-later": 9_000, "MIT": 8_739})
POLICY = PolicyRef("default", "sha256:77aa")

GPL = License("GPL-3.0-or-later", "Copyleft", "header", 0.99, (LicenseConflict("LGPL-2.1-only", "metadata"),))
MIT = License("MIT", "Permissive", "license-file", 0.9, ())
APACHE = License("Apache-2.0", "Permissive", "spdx-tag", 1.0, ())
UNKNOWN = License("", "Unknown", "unknown", 0.0, ())

# Texts that would act in a terminal, a page, a comment, a workflow log or a document, if they were let.
HOSTILE = (
    "src/a\nb\r\n::error file=x::hit.py",
    "\x1b[31mred\x1b[0m\x9b2J.py",
    "](javascript:alert(1)) [x](javascript:alert(2)) ![i](http://evil.example/p.png).c",
    "<script>alert(1)</script><img src=x onerror=alert(1)>.js",
    "::error file=a,line=1::injected %0A::warning::twice",
    "a|b|c\\|d|`e`|``f``|~~~|```\n# heading\n",
    "@everyone @octo/team #1 octo/repo#2 GH-3 www.evil.example https://evil.example user@evil.example",
    "\u202egnp.exe\u202c\u2066x\u2069\u200b\ufeff\U000e0041",
    "x" * 100_000,
    "]]> --> </details> </failure> &amp; &#64; {0} {{1}} ${2} %s %(x)s \"'\x00\x0b\ufffe\uffff",
    "__a__ *b* **c** ~~d~~ $e$ :+1: \\ <!-- f --> [^1] - [ ] 1. > #",
    "../../etc/passwd?x=1#y",
    "é漢字🙂.py",
    "half \ud800 of a pair",
)


def origin(name: str, path: str, start: int, end: int, also: tuple[AlsoOrigin, ...] = ()) -> Origin:
    url = f"https://code.example/{name}/{path}"
    return Origin(
        f"pkg:deb/debian/{name}@5.0-1?arch=source", path, start, end, url, f"swh:1:cnt:{'a1' * 20}", also
    )


def evidence(kind: Kind, similarity: float, chance: float, first: tuple[int, int] = (27, 114)) -> Evidence:
    pairs = tuple((first[0] + step, first[1] + step) for step in range(4))
    renames = {"eps": "tol", "maxit": "steps"} if kind == "renamed" else {}
    discounts = ("12 tokens are calls that the language's own API forces.",) if kind == "translated" else ()
    return Evidence(kind, similarity, 0.91, 0.55, 212, 41, chance, pairs, renames, discounts)


def finding(
    status: VerdictStatus = "conflict",
    kind: Kind = "translated",
    path: str = "fracutil/approx.py",
    start: int = 27,
    license: License = GPL,
    name: str = "glpk",
    chance: float = 1e-6,
) -> Finding:
    """A finding as the pipeline could make it; the arguments are what the tests vary."""
    mirror = AlsoOrigin("pkg:pypi/mirrored@2.1", "lib/rational.c", 12, 58, "", "", license)
    return Finding(
        id=f"{name}-{kind}-0f1e2d",
        region=RegionRef(path, start, start + 23),
        origin=origin(name, "src/misc/fp2rat.c", 114, 160, (mirror,) if status == "conflict" else ()),
        license=license,
        evidence=evidence(kind, 0.83, chance, (start, 114)),
        verdict=Verdict(
            status,
            f"{license.category.lower().replace(' ', '-')}-into-bsd",
            f"{license.expression or 'An unknown license'} against the outbound license BSD-3-Clause",
            "Ask the authors for permission, or write it anew from the published method.",
        ),
    )


def lead() -> Lead:
    weak = evidence("rewritten", 0.4, 0.2, (60, 10))
    return Lead(
        "lead-1", RegionRef("fracutil/approx.py", 60, 75), origin("gsl", "poly/eval.c", 10, 30), GPL, weak
    )


FINDINGS = (
    finding("ok", "literal", "fracutil/tables.py", 5, MIT, "tables", 1e-9),
    finding("attribution", "renamed", "fracutil/sort.py", 40, APACHE, "sorting", 3e-4),
    finding("review", "rewritten", "fracutil/graph.py", 101, UNKNOWN, "graphs", 0.004),
    finding(),
)
BINARY = Skipped("docs/logo.png", "binary", False)
TOO_LONG = Skipped("vendor/huge.c", "more than 4 MiB of text", True)
AI_USE = AiUse(
    "gentoo",
    "takes no such content.",
    "https://policy.example/ai",
    False,
    (
        AiStatement("commit 1", True, "Copilot", "disclosure", "Assisted-by", "Assisted-by: Copilot"),
        AiStatement("pull request", False, "", "statement", "", "none"),
    ),
    ("The statements disagree: ask the author.",),
)
LIMITS = ("Languages without a tokeniser are compared as plain text.",)


def report(
    findings: tuple[Finding, ...] = FINDINGS,
    skipped: tuple[Skipped, ...] = (BINARY,),
    leads: tuple[Lead, ...] | None = None,
    searched: bool = True,
    ai_use: AiUse | None = None,
) -> Report:
    return assemble(
        engine=ENGINE,
        snapshot=SNAPSHOT,
        outbound="BSD-3-Clause",
        policy=POLICY,
        searched=searched,
        findings=findings,
        leads=leads,
        skipped=skipped,
        limits=LIMITS,
        ai_use=ai_use,
    )


def hostile(text: str) -> Report:
    """A report with `text` in every place that a text of somebody else can get into."""
    license = License(text, text, "header", 0.5, (LicenseConflict(text, "metadata"),))
    also = AlsoOrigin(f"pkg:pypi/x{text}", text, 1, 2, text, "", license)
    base = finding()
    one = replace(
        base,
        id=text,
        region=replace(base.region, path=text),
        origin=Origin(f"pkg:pypi/x{text}", text, 3, 4, f"https://evil.example/{text}", "", (also,)),
        license=license,
        evidence=replace(base.evidence, renames={text: text}, discounts=(text,)),
        verdict=Verdict("conflict", text, text, text),
    )
    return assemble(
        engine=ENGINE,
        snapshot=replace(SNAPSHOT, id=text),
        outbound=text,
        policy=PolicyRef(text, text),
        searched=True,
        findings=(one,),
        leads=(replace(lead(), id=text),),
        skipped=(Skipped(text, text, True), Skipped(text, text, False)),
        limits=(text,),
        ai_use=AiUse(text, text, text, False, (AiStatement(text, True, text, "stamp", text, text),), (text,)),
    )


def many(number: int) -> Report:
    """`number` findings, their verdicts in turn."""
    statuses: tuple[VerdictStatus, ...] = ("conflict", "review", "attribution", "ok")
    return report(
        tuple(
            finding(statuses[index % 4], path=f"src/part_{index:03}/module.py", chance=1e-6 * (index + 1))
            for index in range(number)
        )
    )


def snippets(of: Report, text: str = "") -> RenderContext:
    """Both sides of all line pairs, as `text` or as a line of code."""
    submitted, theirs = {}, {}
    for entry in of.findings:
        for ours, other in entry.evidence.line_pairs:
            line = text or f"    x, y = step(x, y)  # {ours}"
            submitted[entry.region.path, ours] = line
            line = text or f"    step (&x, &y); /* {other} */"
            theirs[entry.origin.purl, entry.origin.path, other] = line
    return RenderContext(submitted_lines=submitted, origin_lines=theirs)


CASES = {
    "findings": report(),
    "leads": report(leads=(lead(),)),
    "partial": report(skipped=(BINARY, TOO_LONG)),
    "empty": report(findings=()),
    "empty-partial": report(findings=(), skipped=(TOO_LONG,)),
    "nothing": report(findings=(), searched=False),
    "declared": report(findings=(), ai_use=AI_USE),
}
