"""What the routes of one gateway share."""

from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from vivavoce.gateway.client_secrets import ClientSecrets
from vivavoce.gateway.loading import Loading
from vivavoce.gateway.origin import Doorkeeper
from vivavoce.gateway.sessions import Sessions
from vivavoce.gateway.settings import GatewaySettings
from vivavoce.gateway.upstream import Upstream

__all__ = ["GATEWAY", "Gateway"]


@dataclass(frozen=True, slots=True)
class Gateway:
    """The parts of a running gateway."""

    settings: GatewaySettings
    upstream: Upstream
    loading: Loading
    sessions: Sessions
    doorkeeper: Doorkeeper
    client_secrets: ClientSecrets
    web: Path
    """The folder with what the browser loads."""


GATEWAY: web.AppKey[Gateway] = web.AppKey("gateway", Gateway)
"""Where an application keeps its `Gateway`."""
