"""Why a policy decides as it does about an expression: licence by licence, then combined.

For `whence policy explain EXPRESSION` and for pages.
"""

from __future__ import annotations

from dataclasses import dataclass

from app.policy.compat import leaf_verdicts, of_expression, outbound_of_policy
from app.policy.licenses import canonical, readable, tree
from app.policy.model import Policy, Verdict
from app.policy.osadl import Opinion, opinions
from app.policy.presets import PRESETS


@dataclass(frozen=True, slots=True)
class Part:
    """One licence: its category, the rule that applied, its place ("" for a built-in rule) and result."""

    license: str
    category: str
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Explanation:
    """expression: canonical. readable: whether it follows SPDX's grammar. sources: of the preset.
    advice: OSADL's matrix, never part of the verdict.
    """

    expression: str
    readable: bool
    outbound: str
    parts: tuple[Part, ...]
    verdict: Verdict
    sources: tuple[str, ...]
    advice: tuple[Opinion, ...]


def explain(policy: Policy, expression: str) -> Explanation:
    """The decision about an expression, taken apart."""
    outbound = outbound_of_policy(policy)
    return Explanation(
        canonical(tree(expression)),
        readable(expression),
        outbound,
        tuple(Part(p.leaf.text, p.leaf.category, p.verdict) for p in leaf_verdicts(policy, expression)),
        of_expression(policy, expression),
        PRESETS[policy.preset].sources,
        opinions(outbound, expression),
    )


def as_text(explanation: Explanation) -> str:
    """Plain lines for a terminal."""
    lines = [
        f"{explanation.expression or 'no licence'} into {explanation.outbound or 'an unknown licence'}: "
        f"{explanation.verdict.status} ({explanation.verdict.rule})",
        f"  {explanation.verdict.why}",
        f"  {explanation.verdict.what_to_do}",
    ]
    for part in explanation.parts:
        place = f", {part.verdict.where}" if part.verdict.where else ""
        lines.append(
            f"  - {part.license or 'no licence'} [{part.category}]: {part.verdict.status} "
            f"({part.verdict.rule}{place})"
        )
    for advice in explanation.advice:
        said = f"{advice.answer} (data of {advice.date})" if advice.answer else advice.note
        lines.append(f"  OSADL, advisory: {advice.inbound} into {advice.outbound or 'unknown'}: {said}")
    return "\n".join(lines)
