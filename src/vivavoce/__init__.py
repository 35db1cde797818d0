"""Realtime voice for Python: client, gateway, web page and speech engine, all speaking the Realtime protocol."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vivavoce.client import RealtimeClient, SyncRealtimeClient

__all__ = ["RealtimeClient", "SyncRealtimeClient"]

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """Import the client when it is asked for: who wants another part of the package need not wait for this one."""
    if name in __all__:
        from vivavoce import client  # noqa: PLC0415

        return getattr(client, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
