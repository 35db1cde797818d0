"""What means this machine, and nothing else, or all of its addresses. Pure."""

from ipaddress import ip_address
from urllib.parse import urlsplit

__all__ = ["is_loopback", "is_wildcard", "without_port"]


def is_loopback(host: str) -> bool:
    """Tell whether ``host``, a name or an address without port, can only mean this machine."""
    name = host.strip("[]").rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False


def is_wildcard(host: str) -> bool:
    """Tell whether ``host`` means all addresses of this machine, and so none that it could be reached at."""
    try:
        return ip_address(host.strip("[]")).is_unspecified
    except ValueError:
        return not host


def without_port(host: str) -> str:
    """Return the name or address of a ``Host``; empty where it is none."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""
