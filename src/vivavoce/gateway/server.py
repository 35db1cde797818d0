"""The gateway as a server: an application, listening at an address."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import quote

from aiohttp import web

from vivavoce.gateway.access import SERVER_LOG, AccessLogger
from vivavoce.gateway.operations.tls import Certificate
from vivavoce.gateway.settings import GatewaySettings
from vivavoce.gateway.state import GATEWAY

__all__ = ["Listening", "address_of", "listen"]


@dataclass(frozen=True, slots=True)
class Listening:
    """A server that answers."""

    url: str
    """What to open in a browser, without a slash at the end."""
    port: int

    def address(self, token: str | None) -> str:
        """Return the address for a browser, with the token that its pages show where they need one."""
        return self.url if token is None else f"{self.url}/?token={quote(token)}"


@asynccontextmanager
async def listen(app: web.Application, *, certificate: Certificate | None = None) -> AsyncIterator[Listening]:
    """Answer for ``app`` at the address of its settings, for as long as the context lasts.

    With a ``certificate`` it speaks TLS.

    The models are loaded from the moment that the address answers, so that a port that is taken is told at
    once, with nothing loaded in vain. On the way out, sessions are closed with 1001.

    Raises `OSError` when the address cannot be listened at.
    """
    settings = app[GATEWAY].settings
    runner = web.AppRunner(
        app,
        access_log_class=AccessLogger,
        logger=SERVER_LOG,
        handle_signals=False,
        shutdown_timeout=settings.shutdown_seconds,
    )
    await runner.setup()
    try:
        tls = None if certificate is None else certificate.context
        # One of several processes has to say that it shares the port; nobody else may take it.
        shared = True if settings.workers > 1 else None
        site = web.TCPSite(runner, settings.host, settings.port, ssl_context=tls, reuse_port=shared)
        await site.start()
        app[GATEWAY].loading.begin()
        yield Listening(url=address_of(settings, site.port), port=site.port)
    finally:
        await runner.cleanup()


def address_of(settings: GatewaySettings, port: int) -> str:
    """Return what to open in a browser for a gateway at this port."""
    host = settings.host
    if host in {"0.0.0.0", "::"}:  # noqa: S104 - compared with, not bound to
        host = "127.0.0.1"
    scheme = "http" if settings.tls_cert is None else "https"
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"
