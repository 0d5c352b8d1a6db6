"""Settings of the service: one class, each field described, read from WHENCE_* variables.

Read once by app.context; the command line's own `data_dir` is in app.data and imports nothing of this.
docs/operations.md is generated from the descriptions.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from app.data import data_dir

HOUR = 3600
DAY = 24 * HOUR
MIB = 1 << 20


class Settings(BaseSettings):
    """What an operator may set; the defaults are the embedded service on one machine."""

    model_config = SettingsConfigDict(env_prefix="WHENCE_", extra="ignore", frozen=True)

    data_dir: Path = Field(
        default_factory=data_dir,
        description="Folder of the index, of downloads and of the embedded database.",
    )
    database_url: SecretStr = Field(
        default=SecretStr(""),
        description="`postgresql://user:password@host/name`; empty: SQLite in the data folder.",
    )
    redis_url: SecretStr = Field(
        default=SecretStr(""),
        description="`redis://:password@host:6379/0`; empty: embedded mode, the server itself does the work.",
    )
    lookup: SecretStr = Field(
        default=SecretStr(""),
        description="Where the tables of the index are asked for: `postgresql://…;…`, a URL a node, or "
        "`readers:host:port,host:port;…`, the readers of each shard; empty: in the data folder.",
    )
    host: str = Field(default="127.0.0.1", description="Address that the server listens on.")
    port: int = Field(default=8321, ge=0, le=65535, description="Port; 0 takes a free one.")
    keys_required: Literal["auto", "always"] = Field(
        default="auto",
        description="`auto`: no API key is asked for in embedded mode on a loopback address.",
    )
    key_pepper: SecretStr = Field(
        default=SecretStr(""),
        description="Signs short-lived tokens and seals webhooks' secrets in the database; empty: a key for "
        "tokens is made once and kept there, and webhooks' secrets stand there as they are.",
    )
    receipt_key: Path | None = Field(
        default=None,
        description="PEM file (mode 0600) of the Ed25519 key that signs receipts; empty: `receipt-key.pem` "
        "in the data folder, made at first start.",
    )
    oidc_audience: str = Field(default="whence", description="Audience that CI identity tokens must carry.")
    token_seconds: int = Field(default=900, ge=60, le=HOUR, description="Life of an exchanged token.")

    max_body: int = Field(default=10 * MIB, ge=1024, description="Longest request body, in bytes.")
    max_diff: int = Field(default=5 * MIB, ge=1024, description="Longest diff, in bytes.")
    max_queued: int = Field(
        default=1000, ge=1, description="Scans that may wait; more are answered with 503."
    )
    max_queued_bytes: int = Field(default=200 * MIB, ge=1024, description="Bytes that may wait in all.")
    max_queued_tenant: int = Field(
        default=500, ge=1, description="Scans of one tenant that may wait: then 429."
    )
    rate_limit: str = Field(default="600/minute", description="Requests per key.")
    wrong_key_limit: str = Field(
        default="60/minute", description="Wrong keys per address; more are answered with 429."
    )

    retain_source: int = Field(
        default=DAY, ge=0, description="Seconds that submitted text is kept after its scan; 0: until its end."
    )
    retain_results: int = Field(default=90 * DAY, ge=60, description="Seconds that reports are kept.")
    retain_jobs: int = Field(
        default=30 * DAY, ge=60, description="Seconds that finished corpus jobs are kept."
    )

    scan_processes: int = Field(
        default_factory=lambda: max(1, min(4, os.cpu_count() or 1)),
        ge=1,
        le=64,
        description="Children that parse submitted text, and scans at the same time, in one process.",
    )
    scan_memory: int = Field(default=512 * MIB, ge=16 * MIB, description="Memory of such a child, in bytes.")
    scan_seconds: float = Field(default=60.0, gt=0, description="Time for one scan; what is left is partial.")
    file_seconds: float = Field(default=20.0, gt=0, description="Time for reading one file or one diff.")
    ingest_processes: int = Field(default=1, ge=1, le=64, description="Children of an ingest worker.")
    allow_local: bool = Field(
        default=False, description="Let administrators index folders of the server by file: URL."
    )
    keep_texts: bool = Field(
        default=True, description="Keep texts of indexed releases, to show matched lines."
    )

    lease_seconds: float = Field(
        default=10.0, ge=1, description="A worker that says nothing for so long has lost its scan."
    )
    attempts: int = Field(default=3, ge=1, description="Times that a scan or a job is tried.")
    poll_seconds: float = Field(default=0.5, gt=0, description="How often idle workers look for lost work.")
    stop_seconds: float = Field(default=20.0, ge=0, description="Time for running scans when asked to stop.")
    webhook_attempts: int = Field(
        default=8, ge=1, description="Times that a webhook is tried, with back-off."
    )
    webhook_private: bool = Field(
        default=False, description="Let webhooks go to private and loopback addresses (for tests at home)."
    )

    @model_validator(mode="after")
    def _queue_needs_server(self) -> Self:
        if self.redis_url.get_secret_value() and not self.database_url.get_secret_value():
            raise ValueError(
                "WHENCE_REDIS_URL needs WHENCE_DATABASE_URL: workers share a PostgreSQL database"
            )
        return self

    @property
    def embedded(self) -> bool:
        """Whether this process does the work itself."""
        return not self.redis_url.get_secret_value()

    @property
    def sqlalchemy_url(self) -> str:
        """The database as SQLAlchemy names it, with the asynchronous driver."""
        url = self.database_url.get_secret_value()
        if not url:
            return f"sqlite+aiosqlite:///{self.data_dir / 'whence.db'}"
        scheme, _, rest = url.partition("://")
        return f"{'postgresql+asyncpg' if scheme in ('postgres', 'postgresql') else scheme}://{rest}"
