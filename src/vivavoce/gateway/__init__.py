"""One door to a Realtime endpoint: the page, the sessions, and who may have them."""

from vivavoce.gateway.app import create_app
from vivavoce.gateway.server import Listening, listen
from vivavoce.gateway.settings import GatewaySettings

__all__ = ["GatewaySettings", "Listening", "create_app", "listen"]
