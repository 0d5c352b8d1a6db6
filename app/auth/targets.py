"""Addresses that the service may be told to call: refused at once when they plainly lead inside.

A first look, at names and numbers as they are written. What a name resolves to is checked again each time
something is sent (app.services.outbound), since it may change.
"""

from __future__ import annotations

import ipaddress
import socket
from urllib.parse import urlsplit

from corpus.errors import BadInput

INSIDE = ("localhost", "local", "internal", "intranet", "lan", "home", "corp", "onion", "arpa")
_FORWARDED = tuple(
    ipaddress.ip_network(net) for net in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32", "::/96")
)


class BadTarget(BadInput):
    """An address that is not called from here."""

    slug, status = "bad-target", 422


def check_target(url: str, *, allow_private: bool = False) -> None:
    """Raises BadTarget unless `url` is http(s), names a host without a user, and no address inside."""
    try:
        parts = urlsplit(url)
        host, _ = (parts.hostname or "").rstrip("."), parts.port
    except ValueError:
        raise BadTarget("the address cannot be read") from None
    if parts.scheme not in ("https", "http") or not host or "@" in parts.netloc or "\\" in url:
        raise BadTarget("the address is not an http(s) URL with a host and without a user name")
    if allow_private:
        return
    address = _written_address(host)
    if address is not None:
        if not is_outside(address):
            raise BadTarget("the address is private, local or reserved")
    elif "." not in host or host.rpartition(".")[2] in INSIDE or not host.isascii():
        raise BadTarget("the address names a host inside a network")


def checked_issuer(url: str, *, allow_private: bool = False) -> str:
    """An issuer's address, without a trailing slash. Raises BadTarget."""
    check_target(url, allow_private=allow_private)
    if not url.startswith("https://") and not allow_private:
        raise BadTarget("an issuer's address begins with https://")
    if "?" in url or "#" in url:
        raise BadTarget("an issuer's address has no query and no fragment")
    return url.rstrip("/")


def is_outside(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Whether an address is of the public internet, seen through the ways to write IPv4 in IPv6."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return is_outside(address.ipv4_mapped)
        if any(address in net for net in _FORWARDED):
            return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def _written_address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address that a host is, in all forms that system calls take: 127.1, 0x7f000001, 017700000001."""
    try:
        return ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        pass
    try:
        return ipaddress.IPv4Address(socket.inet_aton(host))
    except (OSError, ValueError):
        return None
