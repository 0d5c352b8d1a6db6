"""licence × policy → verdict. Pure and total: every text of a licence gets one of the four statuses.

    OR    the best branch, because the receiver may choose
    AND   the worst part, because all of them hold
    WITH  as the licence itself: exceptions speak of linking or of output, not of copied source
    an outbound OR has to be kept for every branch; an outbound AND is a project of parts: where they
    disagree, somebody has to look at which part the code goes into

Then, in this order: what a policy caps for a kind of evidence, an unclear direction of copying, and a
permissive twin lower a conflict to review (never further).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

from app.policy.licenses import NO_LICENSE, Leaf, Node, Tree, canonical, leaves, tree
from app.policy.model import LISTS, RANK, Entry, ListName, Policy, Status, Verdict
from app.policy.presets import PRESETS
from app.policy.rules import NOT_A_LICENSE, RULES, Case

if TYPE_CHECKING:  # it loads numpy, which a command that only explains a policy does not need
    from corpus.model import LicenseConclusion

UNKNOWN_OUTBOUND = Leaf("an unknown licence", "")

DIRECTION_UNKNOWN = "direction-unknown"
# What a label of the origin adds to the reason.
LABELS = {
    "generated": "The origin looks generated; the terms of its generator may matter.",
    "vendored": "The origin is itself a copy inside that package; look for where it was first published.",
    "test": "The origin is test code.",
}


@dataclass(frozen=True, slots=True)
class LeafVerdict:
    """The verdict on one licence of an expression."""

    leaf: Leaf
    verdict: Verdict


def decide(
    policy: Policy,
    license: LicenseConclusion,
    *,
    kind: str = "literal",
    permissive_twin: str | None = None,
    labels: Iterable[str] = (),
) -> Verdict:
    """What the policy says about code under this licence.

    kind: `literal`, `renamed`, `rewritten` or `translated`; all count as copies unless the policy caps one.
    permissive_twin: a permissively licensed origin that explains the code as well, as text to name.
    labels: of the origin; `direction-unknown` means that the project may be the origin.
    """
    labels = tuple(labels)
    verdict = of_expression(policy, license.expression, license.category)
    verdict = _capped(policy, verdict, kind)
    if DIRECTION_UNKNOWN in labels and verdict.status == "conflict":
        verdict = replace(
            verdict,
            status="review",
            rule=DIRECTION_UNKNOWN,
            why=f"{verdict.why} It is not clear which of the two was written first.",
            what_to_do="Compare the dates of both; if this project was first, record the decision `ours`.",
        )
    if permissive_twin and RANK[verdict.status] >= RANK["review"]:
        verdict = replace(
            verdict,
            status="review",
            rule="permissive-twin",
            why=f"{verdict.why} {_clip(permissive_twin)} has the same code under a permissive licence.",
            what_to_do=f"If the code came from {_clip(permissive_twin)}, keep that notice and record the "
            "decision `credited`; otherwise treat it as a copy of the first origin.",
        )
    notes = [LABELS[label] for label in labels if label in LABELS]
    if kind == "translated" and RANK[verdict.status] >= RANK["review"]:
        notes.append("A direct translation is treated as a copy.")
    if license.conflicts and verdict.status != "conflict":
        others = "; ".join(f"{by}: {_clip(text)}" for by, text in license.conflicts[:3])
        notes.append(f"The release also states {others}.")
    return replace(verdict, why=" ".join((verdict.why, *notes))) if notes else verdict


def of_expression(policy: Policy, expression: str, concluded: str = "") -> Verdict:
    """The verdict on an expression alone; `concluded` is the category that came with it."""
    return _of_expression(policy, expression, concluded)


@lru_cache(maxsize=2048)
def _of_expression(policy: Policy, expression: str, concluded: str) -> Verdict:
    node = tree(expression)
    listed = _listed_whole(policy, node)
    if listed:
        return judge(Case(Leaf(canonical(node), "listed", category="listed"), _a_leaf(policy), "", listed))
    return _fold(node, lambda part: against(policy, part, concluded if isinstance(node, Leaf) else ""))


def leaf_verdicts(policy: Policy, expression: str) -> tuple[LeafVerdict, ...]:
    """The verdict on each licence of an expression, left to right."""
    return tuple(LeafVerdict(part, against(policy, part)) for part in leaves(tree(expression)))


def outbound_of_policy(policy: Policy) -> str:
    """The outbound expression: the policy's, or the one its preset is written for."""
    return policy.outbound or PRESETS[policy.preset].outbound


def against(policy: Policy, inbound: Leaf, concluded: str = "") -> Verdict:
    """The verdict on one licence: over all branches of the outbound expression."""
    listed = _listed(policy, inbound, concluded)
    outbound = tree(outbound_of_policy(policy))

    def one(part: Leaf) -> Verdict:
        known = part if _licenses_code(part) else UNKNOWN_OUTBOUND
        return judge(Case(inbound, known, concluded, listed))

    return _over_outbound(outbound, one)


def _licenses_code(outbound: Leaf) -> bool:
    return outbound.known and outbound.category not in NOT_A_LICENSE and not outbound.bare_exception


def _over_outbound(node: Tree, one: Callable[[Leaf], Verdict]) -> Verdict:
    if isinstance(node, Leaf):
        return one(node)
    verdicts = [_over_outbound(part, one) for part in node.parts]
    best = min(verdicts, key=lambda verdict: RANK[verdict.status])
    worst = max(verdicts, key=lambda verdict: RANK[verdict.status])
    if node.operator == "OR" or RANK[best.status] == RANK[worst.status]:
        return worst
    if RANK[best.status] >= RANK["review"]:
        return worst
    if RANK[worst.status] < RANK["review"]:
        return worst
    return Verdict(
        "review",
        "outbound-has-parts",
        f"The project has parts under different licences ({_clip(canonical(node))}): {_lower(worst.why)}",
        f"See which part the code goes into. There: {_lower(worst.what_to_do)}",
        worst.where,
    )


def _fold(node: Tree, one: Callable[[Leaf], Verdict]) -> Verdict:
    if isinstance(node, Leaf):
        return one(node)
    verdicts = [_fold(part, one) for part in node.parts]
    choose = min if node.operator == "OR" else max
    chosen = choose(verdicts, key=lambda verdict: RANK[verdict.status])
    said = "The code is offered under a choice of" if node.operator == "OR" else "All of these hold:"
    return replace(chosen, why=f"{said} {_clip(canonical(node))}. {chosen.why}")


def judge(case: Case) -> Verdict:
    """The verdict of the first rule that applies to one case."""
    rule = next(rule for rule in RULES if rule.applies(case))
    entry = case.listed[2] if case.listed else Entry("", "")
    words = {
        "inbound": _clip(case.inbound.text) or "code without a licence",
        "outbound": case.outbound.text,
        "category": case.category,
        "concluded": case.concluded,
        "entry": _clip(entry.text),
        "preset": entry.where.removeprefix("preset "),
        "note": entry.note,
    }
    return Verdict(
        rule.status,
        rule.slug,
        rule.why.format_map(words),
        rule.what_to_do.format_map(words),
        entry.where if rule.slug.endswith("-by-project") else "",
    )


def _listed(policy: Policy, inbound: Leaf, concluded: str) -> tuple[str, ListName, Entry] | None:
    """The entry that decides: project before preset, exact before licence before category, deny first."""
    for layer, asked in (("project", policy), ("preset", PRESETS[policy.preset])):
        for precision in (_exactly, _by_license):
            for name in LISTS:
                for entry in asked.entries(name):
                    if precision(entry.text, inbound):
                        return layer, name, entry
        for name in LISTS:
            # A category that was only concluded may make a verdict stricter, never milder.
            strict = name in ("deny", "review") and not inbound.known
            wanted = {inbound.category.lower(), concluded.lower() if strict else ""}
            for entry in asked.entries(name):
                if _category_of(entry.text) in wanted - {""}:
                    return layer, name, entry
    return None


def _listed_whole(policy: Policy, node: Tree) -> tuple[str, ListName, Entry] | None:
    """An entry of the project that is this whole expression of two or more licences."""
    if isinstance(node, Leaf):
        return None
    wanted = canonical(node)
    for name in LISTS:
        for entry in policy.entries(name):
            meant = tree(entry.text)
            if isinstance(meant, Node) and canonical(meant) == wanted:
                return "project", name, entry
    return None


def _exactly(entry: str, inbound: Leaf) -> bool:
    if entry == "no-license":
        return not inbound.license or inbound.license in NO_LICENSE
    return bool(inbound.exception) and _entry_leaf(entry) == inbound.text


def _by_license(entry: str, inbound: Leaf) -> bool:
    return bool(inbound.license) and _entry_leaf(entry) == inbound.license


def _category_of(entry: str) -> str:
    prefix, _, named = entry.partition(":")
    return named.strip().lower() if prefix == "category" else ""


@lru_cache(maxsize=4096)
def _entry_leaf(entry: str) -> str:
    """The canonical text of an entry that is one licence, else ""."""
    if entry == "no-license" or entry.startswith("category:"):
        return ""
    node = tree(entry)
    return node.text if isinstance(node, Leaf) else ""


def _a_leaf(policy: Policy) -> Leaf:
    text = outbound_of_policy(policy)
    return Leaf(text, text) if text else UNKNOWN_OUTBOUND


def _capped(policy: Policy, verdict: Verdict, kind: str) -> Verdict:
    cap: Status | None = policy.caps.get(kind)
    if cap is None or RANK[verdict.status] <= RANK[cap]:
        return verdict
    return replace(
        verdict, status=cap, rule="capped", why=f"{verdict.why} The policy caps {kind} matches at {cap}."
    )


def _clip(text: str) -> str:
    return text if len(text) <= 160 else text[:159] + "…"


def _lower(sentence: str) -> str:
    first = sentence.split(" ", 1)[0]
    return sentence if first[1:].lower() != first[1:] or "-" in first else sentence[:1].lower() + sentence[1:]
