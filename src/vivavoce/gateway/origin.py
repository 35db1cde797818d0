"""Who may knock: the checks that keep a foreign web page from using a server open on this machine.

A browser lets any page open a WebSocket to ``127.0.0.1``, and says in ``Origin`` which page it was; and a
name that its owner points at ``127.0.0.1`` (DNS rebinding) turns such a page into one of the same origin, and
is seen in ``Host``. So both are checked, on every request. Programs send no ``Origin``, and pass.
"""

from dataclasses import dataclass
from http import HTTPStatus
from ipaddress import ip_address

from vivavoce.gateway.loopback import is_loopback, without_port
from vivavoce.gateway.refusal import Refusal
from vivavoce.gateway.settings import GatewaySettings

__all__ = ["Doorkeeper"]


@dataclass(frozen=True, slots=True)
class Doorkeeper:
    """The hosts and origins that are let in."""

    hosts: frozenset[str]
    """Host names, in lower case and without port, beside those of loopback."""
    origins: frozenset[str]
    """Origins as browsers write them, beside the gateway's own."""
    any_address: bool = False
    """Let in every literal IP address as a host: no name, so nothing that could be rebound."""

    @classmethod
    def of(cls, settings: GatewaySettings) -> "Doorkeeper":
        """Make the doorkeeper that ``settings`` ask for."""
        return cls(
            hosts=frozenset(name.lower() for name in (*settings.allowed_hosts, settings.host)),
            origins=frozenset(origin.lower() for origin in settings.allowed_origins),
            any_address=settings.host in {"0.0.0.0", "::"},  # noqa: S104 - compared with, not bound to
        )

    def refuse(self, host: str | None, origin: str | None) -> Refusal | None:
        """Return why a request with these headers is turned away, or None when it is welcome."""
        if host is None or not self._knows(host):
            return Refusal(
                HTTPStatus.FORBIDDEN,
                f"The host {host!r} is not one of this server's. Expected an address of this machine, "
                "or a name listed in VIVAVOCE_ALLOWED_HOSTS.",
                code="host_not_allowed",
            )
        if origin is not None and not self._welcomes(origin, host):
            return Refusal(
                HTTPStatus.FORBIDDEN,
                f"Pages of the origin {origin!r} may not use this server. Expected its own origin, "
                "or one listed in VIVAVOCE_ALLOWED_ORIGINS.",
                code="origin_not_allowed",
            )
        return None

    def _knows(self, host: str) -> bool:
        name = without_port(host)
        return is_loopback(name) or name in self.hosts or (self.any_address and _is_address(name))

    def _welcomes(self, origin: str, host: str) -> bool:
        origin = origin.lower()
        if origin in self.origins:
            return True
        scheme, _, authority = origin.partition("://")
        # The scheme is not compared: behind a proxy that ends TLS, the page is https and the request http.
        return scheme in {"http", "https"} and authority == host.lower()


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
