"""Tools that the gateway runs itself: the model calls them, and clients need not know."""

from vivavoce.gateway.server_tools.house import ServerTools

__all__ = ["ServerTools"]
