"""Which proxy leads to an address, as the environment says: HTTPS_PROXY, HTTP_PROXY, and around it NO_PROXY.

On macOS and Windows also what the system's settings say. Every connection asks here, so that all keep to the same.
"""

from __future__ import annotations

from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

_SCHEMES = {"ws": "http", "wss": "https"}


def proxy_for(url: str) -> str | None:
    """The proxy's address, None where none is needed."""
    address = urlsplit(url)
    if proxy_bypass(address.netloc.rpartition("@")[2]):
        return None
    return getproxies().get(_SCHEMES.get(address.scheme, address.scheme)) or None
