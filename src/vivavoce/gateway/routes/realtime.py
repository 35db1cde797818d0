"""``GET /v1/realtime``: a session over a WebSocket, refused before the upgrade or held to its end."""

import time
from http import HTTPStatus

from aiohttp import hdrs, web

from vivavoce.gateway.client_secrets import is_ephemeral
from vivavoce.gateway.credentials import presented_key
from vivavoce.gateway.opening import ANYONE, Opening
from vivavoce.gateway.refusal import Refusal
from vivavoce.gateway.routes._holding import hold
from vivavoce.gateway.routes._readiness import refuse_state
from vivavoce.gateway.state import GATEWAY
from vivavoce.protocol.errors import INVALID_API_KEY
from vivavoce.protocol.ids import Ids
from vivavoce.protocol.session import DEFAULT_MODEL
from vivavoce.protocol.session_params import (
    RealtimeSessionParams,
    SessionParams,
    TranscriptionSessionParams,
)

__all__ = ["SUBPROTOCOL", "realtime"]

_IDS = Ids()

SUBPROTOCOL = "realtime"
"""What a browser offers, together with its key, and must be answered with."""

INTENT = "transcription"
"""What ``?intent=`` may be: the session then only writes down what it hears, and needs no ``model``."""

MAX_MODEL_NAME = 256
"""Characters of a model's name; the longest that is known has 42."""


async def realtime(request: web.Request) -> web.StreamResponse:
    """Hold a session with the client until one of both ends it.

    An ephemeral key says what the session is, whatever the address says. Other keys are not looked at.
    """
    gateway = request.app[GATEWAY]
    key = presented_key(request.headers.get(hdrs.AUTHORIZATION), _offered(request))
    granted = gateway.client_secrets.find(key, now=time.time()) if is_ephemeral(key) else None
    refusal = (
        _refuse_upgrade(request)
        or (_wrong_key() if is_ephemeral(key) and granted is None else None)
        or _refuse_query(request, granted=granted is not None)
        or refuse_state(gateway)
        or gateway.sessions.refuse()
    )
    if refusal is not None:
        return refusal.response()
    opening = Opening(
        id=_IDS.session(),
        caller=ANYONE,
        model=request.query.get("model", DEFAULT_MODEL),
        params=granted or _asked(request),
        dialect="ga",
        started_at=time.time(),
    )
    return await hold(request, opening, protocols=(SUBPROTOCOL,) if _offered(request) else ())


def _asked(request: web.Request) -> SessionParams:
    """Return what the address asks for."""
    return TranscriptionSessionParams() if "intent" in request.query else RealtimeSessionParams()


def _wrong_key() -> Refusal:
    return Refusal(
        HTTPStatus.UNAUTHORIZED,
        "This ephemeral key has expired, or was never made here. POST /v1/realtime/client_secrets makes one.",
        code=INVALID_API_KEY,
    )


def _refuse_upgrade(request: web.Request) -> Refusal | None:
    if request.headers.get(hdrs.UPGRADE, "").lower() != "websocket":
        return Refusal(
            HTTPStatus.UPGRADE_REQUIRED,
            "Expected a WebSocket: /v1/realtime speaks the Realtime protocol, and this asks for no upgrade.",
            code="upgrade_required",
        )
    offered = _offered(request)
    if offered and SUBPROTOCOL not in offered:  # what is offered may hold a key, so it is not repeated
        return Refusal(
            HTTPStatus.BAD_REQUEST,
            f"Expected the subprotocol {SUBPROTOCOL!r} among those offered.",
            code="unsupported_subprotocol",
        )
    return None


def _refuse_query(request: web.Request, *, granted: bool) -> Refusal | None:
    if "call_id" in request.query:
        return Refusal(
            HTTPStatus.NOT_FOUND,
            "There is no such call: this server holds its sessions over WebSockets.",
            code="call_not_found",
            param="call_id",
        )
    model, intent = request.query.get("model"), request.query.get("intent")
    return _refuse_intent(intent) or _refuse_model(model, needed=intent is None and not granted)


def _refuse_intent(intent: str | None) -> Refusal | None:
    if intent in (None, INTENT):
        return None
    return Refusal(
        HTTPStatus.BAD_REQUEST,
        f"Expected the intent {INTENT!r}, or none for a conversation.",
        code="invalid_value",
        param="intent",
    )


def _refuse_model(model: str | None, *, needed: bool) -> Refusal | None:
    if not model and (needed or model is not None):
        return Refusal(
            HTTPStatus.BAD_REQUEST,
            f"Missing required parameter: 'model'. Expected /v1/realtime?model=NAME, or ?intent={INTENT}.",
            code="missing_required_parameter",
            param="model",
        )
    if model is not None and len(model) > MAX_MODEL_NAME:
        return Refusal(
            HTTPStatus.BAD_REQUEST,
            f"Expected the name of a model, of at most {MAX_MODEL_NAME} characters, got {len(model)}.",
            code="invalid_value",
            param="model",
        )
    return None


def _offered(request: web.Request) -> list[str]:
    header = ",".join(request.headers.getall(hdrs.SEC_WEBSOCKET_PROTOCOL, []))
    return [name.strip() for name in header.split(",") if name.strip()]
