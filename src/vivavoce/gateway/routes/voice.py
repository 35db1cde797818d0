"""``/api/v1/streaming/realtime…``: the voice API, for applications that need no more than a few messages.

============================  =====================================================
``/{user_id}``, WebSocket     a session for that user of whoever asks
no more, WebSocket            a session for whom a bearer token stands for
``/status``                   whether sessions can be opened, and how many there are
``/health``                   the same in one word, and as a status
============================  =====================================================
"""

import time
from dataclasses import replace
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import msgspec
from aiohttp import hdrs, web

from vivavoce.dialects.voice import defaults
from vivavoce.gateway.auth.door import Admission, offered_subprotocols
from vivavoce.gateway.auth.tokens import SIGNED
from vivavoce.gateway.credentials import presented_key
from vivavoce.gateway.dialects import Spoken
from vivavoce.gateway.opening import ANYONE, Caller, Opening
from vivavoce.gateway.refusal import Refusal
from vivavoce.gateway.routes._holding import hold
from vivavoce.gateway.routes._readiness import refuse_state
from vivavoce.gateway.routes.realtime import SUBPROTOCOL
from vivavoce.gateway.state import GATEWAY, Gateway
from vivavoce.protocol.ids import Ids
from vivavoce.protocol.session import DEFAULT_MODEL
from vivavoce.protocol.session_params import RealtimeSessionParams

__all__ = ["voice", "voice_health", "voice_of_user", "voice_status"]

_IDS = Ids()

MAX_USER_ID = 128
"""Characters of a user's name in the address."""


async def voice(request: web.Request) -> web.StreamResponse:
    """Hold a session with whom a bearer token stands for."""
    if not _presented(request):
        return Refusal(
            HTTPStatus.UNAUTHORIZED,
            "Expected a bearer token. Without one, the address names the user: "
            "/api/v1/streaming/realtime/USER_ID.",
            code="missing_api_key",
        ).response()
    return await _hold(request, None)


async def voice_of_user(request: web.Request) -> web.StreamResponse:
    """Hold a session with the user that the address names."""
    user = request.match_info["user_id"]
    if len(user) > MAX_USER_ID:
        return Refusal(
            HTTPStatus.BAD_REQUEST,
            f"Expected the name of a user, of at most {MAX_USER_ID} characters, got {len(user)}.",
            code="invalid_value",
            param="user_id",
        ).response()
    return await _hold(request, user)


async def voice_status(request: web.Request) -> web.Response:
    """Tell whether sessions can be opened, and how many there are."""
    gateway = request.app[GATEWAY]
    return _json(
        HTTPStatus.OK,
        {
            "status": gateway.loading.state,
            "active_connections": len(gateway.sessions),
            "capacity": gateway.sessions.capacity,
            "model": gateway.models.default or DEFAULT_MODEL,
        },
    )


async def voice_health(request: web.Request) -> web.Response:
    """Answer 200 and ``healthy`` where sessions can be opened, 503 and ``unhealthy`` where they cannot."""
    ready = request.app[GATEWAY].loading.state == "ready"
    status = HTTPStatus.OK if ready else HTTPStatus.SERVICE_UNAVAILABLE
    return _json(status, {"status": "healthy" if ready else "unhealthy"})


async def _hold(request: web.Request, user: str | None) -> web.StreamResponse:
    gateway = request.app[GATEWAY]
    admission = await gateway.door.admit(request)
    if isinstance(admission, Refusal):
        return admission.response()
    caller = _caller(admission, user)
    if isinstance(caller, Refusal):
        return caller.response()
    if (refusal := _refuse_upgrade(request) or refuse_state(gateway)) is not None:
        return refusal.response()
    opening = _opening(gateway, admission, caller)
    protocols = (SUBPROTOCOL,) if offered_subprotocols(request) else ()
    return await hold(request, opening, Spoken(), admission=admission, protocols=protocols)


def _caller(admission: Admission, user: str | None) -> Caller | Refusal:
    """Return whose session it is to be.

    Where nobody is asked for a key, it is whose the address says. Who has a key of the gateway brings along users of
    their own; all others are who they are.
    """
    caller = admission.caller
    if user is None or user == caller.user:
        return caller
    if caller == ANYONE:
        return replace(caller, user=user)
    if caller.key not in {"", SIGNED} and not admission.ephemeral:
        return replace(caller, user=f"{caller.user}/{quote(user, safe='@:|+')}", admin=False)
    return Refusal(
        HTTPStatus.FORBIDDEN,
        "This key is not that user's. Without a user in the address, the session is for whom the key stands for.",
        code="user_not_allowed",
        param="user_id",
    )


def _opening(gateway: Gateway, admission: Admission, caller: Caller) -> Opening:
    granted = admission.granted
    return Opening(
        id=_IDS.session(),
        caller=caller,
        model=gateway.models.default or DEFAULT_MODEL,
        params=granted if isinstance(granted, RealtimeSessionParams) else defaults(),
        dialect="voice",
        started_at=time.time(),
    )


def _refuse_upgrade(request: web.Request) -> Refusal | None:
    if request.headers.get(hdrs.UPGRADE, "").lower() == "websocket":
        return None
    return Refusal(
        HTTPStatus.UPGRADE_REQUIRED,
        "Expected a WebSocket: this address speaks the voice API, and this asks for no upgrade.",
        code="upgrade_required",
    )


def _presented(request: web.Request) -> str | None:
    authorization = request.headers.get(hdrs.AUTHORIZATION)
    return presented_key(authorization, offered_subprotocols(request)) or request.query.get("token")


def _json(status: HTTPStatus, fields: dict[str, Any]) -> web.Response:
    return web.Response(
        status=status,
        body=msgspec.json.encode(fields),
        content_type="application/json",
        charset="utf-8",
        headers={hdrs.CACHE_CONTROL: "no-store"},
    )
