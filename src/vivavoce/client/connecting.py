"""How a client connects: over a WebSocket, as a call over WebRTC, or as somebody else knows how to."""

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import aiohttp

from vivavoce.client.endpoints import realtime_url
from vivavoce.client.line import Connect
from vivavoce.client.transport import Transport, WebSocketTransport
from vivavoce.errors import ConnectionFailed
from vivavoce.protocol.session_params import RealtimeSessionParams

__all__ = ["Address", "Carrier", "connector"]

Carrier = Literal["websocket", "webrtc"]

EPHEMERAL = "ek_"
"""How an ephemeral key begins: what the session is was said when it was made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where an endpoint is, and what is asked for there; see `WebSocketTransport.connect`."""

    url: str
    api_key: str | None = None
    model: str | None = None
    call_id: str | None = None
    intent: str | None = None
    headers: Mapping[str, str] | None = None
    http: aiohttp.ClientSession | None = None


def connector(transport: Connect | Carrier | None, address: Address) -> Connect:
    """Return what connects with an address; over a WebSocket where ``transport`` is None.

    Raises `ValueError` for another name, and for what a call does not have.
    """
    if transport is None or transport == "websocket":
        return lambda: _over_websocket(address)
    if transport == "webrtc":
        for name in ("call_id", "intent", "headers"):
            if getattr(address, name):
                raise ValueError(f"{name}: expected none with transport='webrtc', which has no such thing.")
        return lambda: _over_webrtc(address)
    if callable(transport):
        return transport
    raise ValueError(f"transport: expected 'websocket', 'webrtc' or what connects, got {transport!r}.")


async def _over_websocket(to: Address) -> Transport:
    return await WebSocketTransport.connect(
        to.url,
        api_key=to.api_key,
        model=to.model,
        call_id=to.call_id,
        intent=to.intent,
        headers=to.headers,
        session=to.http,
    )


async def _over_webrtc(to: Address) -> Transport:
    session = RealtimeSessionParams()
    address = realtime_url(to.url)
    if model := to.model or address.query.get("model"):
        session.model = model
    api = address.with_scheme("https" if address.scheme == "wss" else "http").with_query(None).parent
    transport: Transport = await _peer().connect(
        str(api),
        api_key=to.api_key,
        session=None if (to.api_key or "").startswith(EPHEMERAL) else session,
        http=to.http,
    )
    return transport


def _peer() -> Any:
    """Import what calls: an extra, whose room a plain client does not know."""
    try:
        return importlib.import_module("vivavoce.webrtc.peer").PeerTransport
    except ModuleNotFoundError as missing:
        raise ConnectionFailed(
            f"transport='webrtc' needs the package {missing.name}: pip install 'vivavoce[webrtc]'."
        ) from missing
