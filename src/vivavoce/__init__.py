"""Realtime voice for Python: client, gateway, web page and speech engine, all speaking the Realtime protocol."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vivavoce.client import RealtimeClient

__all__ = ["RealtimeClient"]

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """Import the client when it is asked for: who wants another part of the package need not wait for this one."""
    if name == "RealtimeClient":
        from vivavoce.client import RealtimeClient  # noqa: PLC0415

        return RealtimeClient
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
