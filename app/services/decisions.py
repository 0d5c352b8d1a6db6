"""Decisions of people about findings, as a tenant's service keeps them; counted when a report is rendered.

A decision is a waiver (app.policy.waivers) that is stored here instead of in the repository: it names a
finding by its content and holds for every scan of the tenant, or for those under one stored policy.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import func, or_, select, update

from app.db import policies as policy_rows
from app.db.engine import clock, new_id
from app.db.models import Decision, Scan, StoredReport
from app.errors import Conflict, NotFound
from app.policy.model import BadPolicy, Waiver
from app.policy.waivers import read_waivers
from app.report.model import SEVERITY, PolicyRef, Report
from app.scan.decisions import with_waivers
from app.scan.guarded import read_policy
from app.services.pages import MAX_PAGE, Page, from_cursor, to_cursor
from app.work import Work
from corpus.errors import BadInput

STATES = ("active", "expired", "unmatched")
MOST = 20_000
"""Decisions of a tenant."""
_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Draft:
    """A decision to record. finding: 32 hex digits. expires: the last day on which it holds."""

    finding: str
    reason: str
    owner: str
    expires: date | None = None
    link: str = ""
    note: str = ""
    policy_name: str = ""


def today() -> date:
    """The day by which decisions expire, in UTC."""
    return datetime.now(UTC).date()


async def create(work: Work, draft: Draft, actor: str) -> Decision:
    """Record a decision of today. Raises BadInput, Conflict where one about the finding is in force."""
    day = today()
    _check(draft, day)
    if draft.policy_name and await policy_rows.get(work, draft.policy_name) is None:
        raise NotFound("policy", draft.policy_name)
    if int(await work.session.scalar(select(func.count()).select_from(Decision)) or 0) >= MOST:
        raise Conflict(f"there are {MOST:,} decisions; delete those that no finding matches any more")
    same = select(Decision).where(
        Decision.finding == draft.finding, Decision.policy_name == draft.policy_name, _in_force(day)
    )
    if (earlier := (await work.session.scalars(same)).first()) is not None:
        raise Conflict(f"the finding is decided already: {earlier.id}, {earlier.reason}")
    identity = new_id("dec")
    await work.insert(
        Decision, id=identity, finding=draft.finding, policy_name=draft.policy_name, reason=draft.reason,
        owner=draft.owner, decided_on=day.isoformat(),
        expires=draft.expires.isoformat() if draft.expires else None, link=draft.link, note=draft.note,
        actor=actor, created_at=clock(), matched_at=None,
    )  # fmt: skip
    return await get(work, identity)


def _check(draft: Draft, day: date) -> None:
    """The rules that hold for waivers in a repository."""
    fields: dict[str, Any] = {
        "id": draft.finding, "reason": draft.reason, "owner": draft.owner, "date": day, "link": draft.link,
        "note": draft.note,
    }  # fmt: skip
    try:
        read_waivers([fields], lambda number: "the decision")
    except BadPolicy as error:
        raise BadInput(error.message) from None
    if draft.expires is not None and draft.expires < day:
        raise BadInput(f"the decision would have expired already on {draft.expires.isoformat()}")


def _in_parts(findings: Iterable[str]) -> Iterator[list[str]]:
    """Parts that a statement can hold as parameters."""
    ids = sorted(set(findings))
    return (ids[at : at + _AT_ONCE] for at in range(0, len(ids), _AT_ONCE))


async def get(work: Work, identity: str) -> Decision:
    """Raises NotFound."""
    found = (await work.session.scalars(select(Decision).where(Decision.id == identity))).one_or_none()
    if found is None:
        raise NotFound("decision", identity)
    return found


async def remove(work: Work, identity: str) -> Decision:
    """The decision that there was. Raises NotFound."""
    found = await get(work, identity)
    await work.session.delete(found)
    await work.session.flush()
    return found


async def page(
    work: Work,
    *,
    cursor: str | None = None,
    limit: int = 50,
    finding: str | None = None,
    policy_name: str | None = None,
    state: str | None = None,
) -> Page[Decision]:
    """Newest first. state: one of STATES; `unmatched` are in force, and no scan had their finding since."""
    limit = max(1, min(limit, MAX_PAGE))
    query = select(Decision).order_by(Decision.id.desc()).limit(limit + 1)
    if cursor:
        query = query.where(Decision.id < from_cursor(cursor))
    if finding is not None:
        query = query.where(Decision.finding == finding)
    if policy_name is not None:
        query = query.where(Decision.policy_name == policy_name)
    if state is not None:
        if state not in STATES:
            raise BadInput(f"state is one of {', '.join(STATES)}")
        query = query.where(
            Decision.expires < today().isoformat() if state == "expired" else _in_force(today())
        )
        if state == "unmatched":
            query = query.where(Decision.matched_at.is_(None))
    rows = list(await work.session.scalars(query))
    return Page(rows[:limit], to_cursor(rows[limit - 1].id) if len(rows) > limit else None)


def _in_force(day: date) -> Any:
    return or_(Decision.expires.is_(None), Decision.expires >= day.isoformat())


async def about(work: Work, scan: Scan, findings: Iterable[str]) -> tuple[Waiver, ...]:
    """The decisions about these findings of a scan, as waivers; those for its policy first, then older ones.

    Works in a work of every tenant as well.
    """
    found: list[Decision] = []
    for ids in _in_parts(findings):
        query = select(Decision).where(
            Decision.tenant == scan.tenant,
            Decision.finding.in_(ids),
            Decision.policy_name.in_(("", scan.policy_name)),
        )
        found += await work.session.scalars(query)
    found.sort(key=lambda each: (not each.policy_name, each.id))
    return tuple(waiver(each) for each in found)


def waiver(decision: Decision) -> Waiver:
    return Waiver(
        decision.finding, decision.reason, decision.owner, date.fromisoformat(decision.decided_on),
        date.fromisoformat(decision.expires) if decision.expires else None, decision.link, decision.note,
        f"decision {decision.id}",
    )  # fmt: skip


def decided(report: Report, waivers: Sequence[Waiver], scan: Scan, day: date) -> Report:
    """The report as these decisions leave it: as if they stood in its policy, also in the policy's digest."""
    if not waivers:
        return report
    policy = read_policy(scan.policy, scan.outbound)
    digest = replace(policy, waivers=(*policy.waivers, *waivers)).digest
    report = replace(report, policy=PolicyRef(report.policy.name, digest))
    return with_waivers(report, waivers, day)


async def worst(work: Work, scan: Scan, verdicts: Sequence[Sequence[str]]) -> str | None:
    """The most severe verdict of a scan once decisions are counted. verdicts: [finding's id, status]."""
    waivers = await about(work, scan, (finding for finding, _ in verdicts))
    waived = {each.id for each in waivers if each.expires is None or each.expires >= today()}
    left = ["ok" if finding in waived else status for finding, status in verdicts]
    return max(left, key=[str(each) for each in SEVERITY].index) if left else scan.worst


async def worst_by_scan(work: Work, scans: Sequence[Scan]) -> Mapping[str, str | None]:
    """The same for scans of this tenant, by their ids; empty where the tenant has no decisions."""
    found = [scan for scan in scans if scan.findings]
    if not found or (await work.session.scalars(select(Decision.id).limit(1))).first() is None:
        return {}
    query = select(StoredReport.scan_id, StoredReport.verdicts).where(
        StoredReport.scan_id.in_([scan.id for scan in found])
    )
    stored = {scan_id: verdicts or [] for scan_id, verdicts in await work.session.execute(query)}
    return {scan.id: await worst(work, scan, stored.get(scan.id, [])) for scan in found}


async def note_matches(work: Work, scan: Scan, findings: Iterable[str]) -> None:
    """A finished scan has these findings. Works in a work of every tenant."""
    for ids in _in_parts(findings):
        await work.session.execute(
            update(Decision)
            .where(Decision.tenant == scan.tenant, Decision.finding.in_(ids))
            .values(matched_at=clock())
            .execution_options(synchronize_session=False)
        )
