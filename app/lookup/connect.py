"""From the setting WHENCE_LOOKUP to where a snapshot's tables are asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from corpus.errors import BadInput, MissingExtra
from corpus.index.lookup import Lookup
from corpus.index.shards import Address, Readers

Connect = Callable[[dict[str, Any]], Lookup]
"""Makes a lookup of a snapshot's manifest."""


def connector(setting: str) -> Connect | None:
    """What makes the lookup of a snapshot; None where its tables lie in its folder.

    setting: `postgresql://…;postgresql://…`, a URL a node, in the order in which they were loaded;
    `readers:host:port,host:port;…`, the readers of each shard. Raises BadInput.
    """
    if not setting:
        return None
    if setting.startswith(("postgresql://", "postgres://")):
        return _on_nodes([url.strip() for url in setting.split(";")])
    kind, _, rest = setting.partition(":")
    if kind != "readers":
        raise BadInput("WHENCE_LOOKUP is neither `postgresql://…` nor `readers:host:port,…`")
    holders = [[Address.parse(text) for text in shard.split(",")] for shard in rest.split(";")]
    return lambda manifest: Readers(manifest["content"][:16], holders)


def _on_nodes(urls: list[str]) -> Connect:
    try:
        from app.lookup.postgres import PostgresLookup, require_power_of_two
    except ImportError:
        raise MissingExtra("lookups on PostgreSQL nodes", "postgres") from None
    require_power_of_two(urls)
    return lambda manifest: PostgresLookup(manifest, urls)
