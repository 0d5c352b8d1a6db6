"""The HTTP client of the downloads: time limits, certificates, proxies, and which addresses it may reach."""

from __future__ import annotations

import ipaddress
import socket
import ssl
from urllib.request import getproxies

import httpx2

from corpus.sources.settings import SourceSettings


def open_client(
    settings: SourceSettings, *, cafile: str = "", proxy: str = "", trusted: tuple[str, ...] = ()
) -> httpx2.Client:
    """Return a client that follows a few redirects and verifies certificates.

    SSL_CERT_FILE, SSL_CERT_DIR and the proxy variables of the environment count; `cafile` and `proxy`, from
    the configuration of the registry's own client, come first. Behind a proxy it is the proxy that connects,
    so `public_only` holds for direct connections only.
    """
    verify: ssl.SSLContext | bool = ssl.create_default_context(cafile=cafile) if cafile else True
    transport: httpx2.BaseTransport | None = None
    if settings.public_only and not proxy and not getproxies():
        transport = PublicTransport(httpx2.HTTPTransport(verify=verify), trusted)
    return httpx2.Client(
        verify=verify,
        proxy=proxy or None,
        transport=transport,
        timeout=httpx2.Timeout(settings.read_timeout, connect=settings.connect_timeout),
        follow_redirects=True,
        max_redirects=settings.max_redirects,
        headers={"User-Agent": "whence"},
    )


class PublicTransport(httpx2.BaseTransport):
    """Connects only to public addresses: each host is resolved once, and that very address is used.

    Redirects come through here as well, so that none leads into the operator's own network.
    """

    def __init__(self, inner: httpx2.BaseTransport, trusted: tuple[str, ...]) -> None:
        self._inner, self._trusted = inner, frozenset(trusted)

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request to a checked address. Raises UnsupportedProtocol for one that is not public."""
        host = request.url.host
        if host not in self._trusted:
            address = public_address(host, request.url.port or 443)
            if address is None:
                raise httpx2.UnsupportedProtocol(f"{host} is not a public address", request=request)
            request.extensions = {**request.extensions, "sni_hostname": host}
            request.url = request.url.copy_with(host=address)
        return self._inner.handle_request(request)

    def close(self) -> None:
        """Close all connections."""
        self._inner.close()


def public_address(host: str, port: int) -> str | None:
    """Resolve a host; return its first address when all of them are public, else None."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return None
    addresses = [str(entry[4][0]).partition("%")[0] for entry in found]
    if not addresses or not all(is_public(address) for address in addresses):
        return None
    return addresses[0]


def is_public(address: str) -> bool:
    """Tell whether an address is one of the open internet, IPv4 inside IPv6 included."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(parsed, ipaddress.IPv6Address):
        inner = parsed.ipv4_mapped or parsed.sixtofour or (parsed.teredo[1] if parsed.teredo else None)
        if parsed in ipaddress.ip_network("64:ff9b::/96"):
            inner = ipaddress.IPv4Address(int(parsed) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
        if parsed.is_site_local:
            return False
    return parsed.is_global and not (parsed.is_multicast or parsed.is_reserved)
