"""What means this machine, and nothing else. Pure."""

from ipaddress import ip_address
from urllib.parse import urlsplit

__all__ = ["is_loopback", "without_port"]


def is_loopback(host: str) -> bool:
    """Tell whether ``host``, a name or an address without port, can only mean this machine."""
    name = host.strip("[]").rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False


def without_port(host: str) -> str:
    """Return the name or address of a ``Host``; empty where it is none."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""
