"""Tables. Every row has a tenant; times are seconds since the epoch by the database's clock.

    Scan ─ Payload (submitted text, expires) · StoredReport · IdempotencyKey · Event (progress)
    Job (work on the corpus) ─ Event        Delivery ─ Webhook
    ApiKey · OidcTrust · NamedPolicy · Decision · AuditEntry · AuditHead · Heartbeat

A row that is `Leased` is the truth about a piece of work; queues only ring. States:
queued → running → done | failed; canceled from either; running → queued when a lease is given back.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, declared_attr, mapped_column

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}
SYSTEM = "system"
"""Tenant of what belongs to the installation: corpus jobs, heartbeats."""

COUNTER = BigInteger().with_variant(Integer(), "sqlite")  # SQLite counts by itself only in an INTEGER key


class Base(DeclarativeBase):
    """All tables."""

    metadata = MetaData(naming_convention=NAMES)
    type_annotation_map = {dict[str, Any]: JSON, list[Any]: JSON, float: Double, bytes: LargeBinary}  # noqa: RUF012


class Tenanted:
    """A row of one tenant. `app.work` adds the tenant to every statement on such a table."""

    tenant: Mapped[str] = mapped_column(String(64))


class Leased(Tenanted):
    """A piece of work. attempts: also the fence: who finishes must have made the last attempt.

    done, total: progress in units of `step`; total 0 when unknown.
    """

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    state: Mapped[str] = mapped_column(String(12), default="queued")
    attempts: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[float]
    not_before: Mapped[float] = mapped_column(default=0.0)
    lease_until: Mapped[float] = mapped_column(default=0.0)
    claimed_at: Mapped[float | None]
    finished_at: Mapped[float | None]
    error_slug: Mapped[str | None] = mapped_column(String(64))
    error: Mapped[str | None] = mapped_column(Text)
    step: Mapped[str] = mapped_column(String(200), default="")
    done: Mapped[int] = mapped_column(default=0)
    total: Mapped[int] = mapped_column(default=0)

    @declared_attr.directive
    def __table_args__(cls) -> tuple[Any, ...]:
        name = cls.__tablename__  # type: ignore[attr-defined]
        return (
            Index(f"ix_{name}_state_not_before", "state", "not_before"),
            Index(f"ix_{name}_tenant_claimed_at", "tenant", "claimed_at"),
            *cls.more_table_args(),
        )

    @classmethod
    def more_table_args(cls) -> tuple[Any, ...]:
        return ()


class Scan(Leased, Base):
    """One request to search a change.

    kind: diff, files or fingerprints. dedup: digest of all that the result depends on, null once it must not
    be answered with again. policy: TOML text, "" is the built-in one. bytes: of the submitted text.
    retain: seconds that the text outlives the scan. worst, status, findings, leads: of the report, before
    decisions. ai_use_fits: whether the rule on declared AI use is met, null where there is none.
    """

    __tablename__ = "scans"

    kind: Mapped[str] = mapped_column(String(16))
    dedup: Mapped[str | None] = mapped_column(String(64))
    label: Mapped[str] = mapped_column(String(200), default="")
    policy: Mapped[str] = mapped_column(Text, default="")
    policy_name: Mapped[str] = mapped_column(String(100), default="")
    outbound: Mapped[str] = mapped_column(String(500), default="")
    snapshot: Mapped[str] = mapped_column(String(100))
    engine: Mapped[str] = mapped_column(String(100))
    bytes: Mapped[int] = mapped_column(default=0)
    retain: Mapped[int]
    status: Mapped[str | None] = mapped_column(String(12))
    worst: Mapped[str | None] = mapped_column(String(12))
    findings: Mapped[int | None]
    leads: Mapped[int | None]
    ai_use_fits: Mapped[bool | None]
    expires_at: Mapped[float | None]

    @classmethod
    def more_table_args(cls) -> tuple[Any, ...]:
        return (UniqueConstraint("tenant", "dedup"), Index("ix_scans_expires_at", "expires_at"))


def _scan_key() -> Mapped[str]:
    return mapped_column(ForeignKey("scans.id", ondelete="CASCADE"), primary_key=True)


class Payload(Tenanted, Base):
    """Submitted text, and what quotes it. Nothing else holds any.

    body: zstd of msgpack. report: zstd of the report with names from the text, or null.
    """

    __tablename__ = "payloads"

    scan_id: Mapped[str] = _scan_key()
    body: Mapped[bytes]
    report: Mapped[bytes | None]
    expires_at: Mapped[float | None] = mapped_column(index=True)


class StoredReport(Tenanted, Base):
    """A report without submitted text, before decisions: zstd of JSON. added: path → ranges of added lines.

    receipt: zstd of the canonical body of its receipt, null where no text was sent. verdicts: [finding's id,
    status] in the report's order; null in reports from before there were decisions.
    """

    __tablename__ = "reports"

    scan_id: Mapped[str] = _scan_key()
    body: Mapped[bytes]
    digest: Mapped[str] = mapped_column(String(64))
    added: Mapped[dict[str, Any]]
    receipt: Mapped[bytes | None]
    verdicts: Mapped[list[Any] | None]


class IdempotencyKey(Tenanted, Base):
    """Which scan a client's key made; body: digest of that request."""

    __tablename__ = "idempotency_keys"

    tenant: Mapped[str] = mapped_column(String(64), primary_key=True)
    key: Mapped[str] = mapped_column(String(255), primary_key=True)
    body: Mapped[str] = mapped_column(String(64))
    scan_id: Mapped[str] = mapped_column(String(40), index=True)
    created_at: Mapped[float]


class Event(Tenanted, Base):
    """Something that happened to a scan or a job, for those who watch. kind: state or progress."""

    __tablename__ = "events"
    __table_args__ = (Index("ix_events_subject_id", "subject", "id"),)

    id: Mapped[int] = mapped_column(COUNTER, primary_key=True, autoincrement=True)
    subject: Mapped[str] = mapped_column(String(40))
    kind: Mapped[str] = mapped_column(String(16))
    data: Mapped[dict[str, Any]]
    at: Mapped[float] = mapped_column(index=True)


class Job(Leased, Base):
    """Work on the corpus. queue: ingest or index. kind: add, remove, build or rollback.

    parent: the `add` of many releases that this one, of a single release, is a part of. A job that was
    spread into parts is `running`, with a lease without end, until the last of them has ended.
    """

    __tablename__ = "jobs"

    queue: Mapped[str] = mapped_column(String(16))
    kind: Mapped[str] = mapped_column(String(16))
    arguments: Mapped[dict[str, Any]]
    result: Mapped[dict[str, Any] | None]
    actor: Mapped[str] = mapped_column(String(100), default="")
    parent: Mapped[str | None] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), index=True)


class Webhook(Tenanted, Base):
    """Where a tenant wants to be told. secret: signs deliveries; app.services.sealing says how it is kept."""

    __tablename__ = "webhooks"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    url: Mapped[str] = mapped_column(Text)
    secret: Mapped[str] = mapped_column(String(100))
    events: Mapped[list[Any]]
    created_at: Mapped[float]
    disabled_at: Mapped[float | None]


class Delivery(Leased, Base):
    """One message to one webhook. body: JSON text as it is signed. answer: HTTP status of the last try."""

    __tablename__ = "deliveries"

    webhook_id: Mapped[str] = mapped_column(ForeignKey("webhooks.id", ondelete="CASCADE"), index=True)
    subject: Mapped[str] = mapped_column(String(40), index=True)
    event: Mapped[str] = mapped_column(String(40))
    body: Mapped[str] = mapped_column(Text)
    answer: Mapped[int | None]


class ApiKey(Tenanted, Base):
    """A key, of which only the SHA-256 is known. prefix: what people recognise it by."""

    __tablename__ = "api_keys"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    name: Mapped[str] = mapped_column(String(100))
    prefix: Mapped[str] = mapped_column(String(20))
    sha256: Mapped[str] = mapped_column(String(64), unique=True)
    scopes: Mapped[list[Any]]
    created_at: Mapped[float]
    expires_at: Mapped[float | None]
    last_used_at: Mapped[float | None]
    revoked_at: Mapped[float | None]
    successor: Mapped[str | None] = mapped_column(String(40))


class OidcTrust(Tenanted, Base):
    """CI jobs that may get a token: issuer and the repository's immutable id."""

    __tablename__ = "oidc_trusts"
    __table_args__ = (UniqueConstraint("issuer", "repository_id"),)

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    issuer: Mapped[str] = mapped_column(String(500))
    repository_id: Mapped[str] = mapped_column(String(100))
    repository: Mapped[str] = mapped_column(String(300), default="")
    scopes: Mapped[list[Any]]
    created_at: Mapped[float]


class NamedPolicy(Tenanted, Base):
    """A policy that scans name. text: TOML, checked when it was stored."""

    __tablename__ = "policies"

    tenant: Mapped[str] = mapped_column(String(64), primary_key=True)
    name: Mapped[str] = mapped_column(String(100), primary_key=True)
    text: Mapped[str] = mapped_column(Text)
    digest: Mapped[str] = mapped_column(String(64))
    updated_at: Mapped[float]


class Decision(Tenanted, Base):
    """What a person decided about a finding, by its content: a waiver of app.policy.waivers.

    policy_name: counts for scans under that stored policy only; "" for all of the tenant. decided_on,
    expires: days, as 2026-11-25. matched_at: when a finished scan last had the finding.
    """

    __tablename__ = "decisions"
    __table_args__ = (Index("ix_decisions_tenant_finding", "tenant", "finding"),)

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    finding: Mapped[str] = mapped_column(String(64))
    policy_name: Mapped[str] = mapped_column(String(100), default="")
    reason: Mapped[str] = mapped_column(String(40))
    owner: Mapped[str] = mapped_column(String(200))
    decided_on: Mapped[str] = mapped_column(String(10))
    expires: Mapped[str | None] = mapped_column(String(10))
    link: Mapped[str] = mapped_column(Text, default="")
    note: Mapped[str] = mapped_column(Text, default="")
    actor: Mapped[str] = mapped_column(String(100))
    created_at: Mapped[float]
    matched_at: Mapped[float | None]


class AuditEntry(Tenanted, Base):
    """One privileged action; digest covers it and the digest before it."""

    __tablename__ = "audit"

    tenant: Mapped[str] = mapped_column(String(64), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[float]
    actor: Mapped[str] = mapped_column(String(100))
    action: Mapped[str] = mapped_column(String(64))
    subject: Mapped[str] = mapped_column(String(500))
    detail: Mapped[dict[str, Any]]
    previous: Mapped[str] = mapped_column(String(64))
    digest: Mapped[str] = mapped_column(String(64))


class AuditHead(Tenanted, Base):
    """The last link of a tenant's chain: shows that the end was cut off."""

    __tablename__ = "audit_heads"

    tenant: Mapped[str] = mapped_column(String(64), primary_key=True)
    number: Mapped[int]
    digest: Mapped[str] = mapped_column(String(64))


class Heartbeat(Tenanted, Base):
    """A process that lives. name: kind and place; facts: counters since its start."""

    __tablename__ = "heartbeats"

    name: Mapped[str] = mapped_column(String(100), primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    at: Mapped[float]
    facts: Mapped[dict[str, Any]]


class Secret(Tenanted, Base):
    """A secret that the installation made for itself, for example the one that signs tokens."""

    __tablename__ = "secrets"

    tenant: Mapped[str] = mapped_column(String(64), primary_key=True)
    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    value: Mapped[bytes]
