"""``GET /v1/realtime``: a session over a WebSocket, refused before the upgrade or held to its end."""

import time
from http import HTTPStatus

from aiohttp import hdrs, web

from vivavoce.gateway.auth.door import offered_subprotocols
from vivavoce.gateway.dialects import BETA_HEADER, dialect, speaks_beta
from vivavoce.gateway.opening import Caller, Opening
from vivavoce.gateway.refusal import Refusal
from vivavoce.gateway.routes._holding import hold
from vivavoce.gateway.routes._inside import refuse_inside
from vivavoce.gateway.routes._readiness import refuse_state
from vivavoce.gateway.routes._resuming import come_back, moving
from vivavoce.gateway.state import GATEWAY, Gateway
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

MAX_CALL_ID = 128
"""Characters of a call's id; those that were seen have 32."""


async def realtime(request: web.Request) -> web.StreamResponse:
    """Hold a session with the client until one of both ends it.

    An ephemeral key says what the session is, whatever the address says. A client of the beta is understood, and told
    of a wrong key as it expects.
    """
    gateway = request.app[GATEWAY]
    offered = offered_subprotocols(request)
    protocols = (SUBPROTOCOL,) if offered else ()
    beta = speaks_beta(request.headers.get(BETA_HEADER), offered)
    admission = await gateway.door.admit(request)
    if isinstance(admission, Refusal):
        if beta and admission.status == HTTPStatus.UNAUTHORIZED and _refuse_upgrade(request) is None:
            return await refuse_inside(request, admission, protocols=protocols)
        return admission.response()
    if "resume" in request.query:
        if (refusal := _refuse_upgrade(request)) is not None:
            return refusal.response()
        return await _come_back(request, gateway, admission.caller, protocols=protocols)
    granted = admission.granted
    refusal = (
        _refuse_upgrade(request)
        or _refuse_query(request, granted=granted is not None, beta=beta)
        or refuse_state(gateway)
    )
    if refusal is not None:
        return refusal.response()
    opening = Opening(
        id=_IDS.session(),
        caller=admission.caller,
        model=request.query.get("model") or gateway.models.default or DEFAULT_MODEL,
        params=granted or _asked(request),
        dialect="beta" if beta else "ga",
        started_at=time.time(),
        call_id=request.query.get("call_id"),
    )
    speech = dialect(opening.params, beta=beta)
    return await hold(request, opening, speech, admission=admission, protocols=protocols)


async def _come_back(
    request: web.Request, gateway: Gateway, caller: Caller, *, protocols: tuple[str, ...]
) -> web.StreamResponse:
    coming = await moving(request, gateway, caller)
    if coming is None:
        return await come_back(request, gateway, caller, protocols=protocols)
    if isinstance(coming, Refusal):
        return coming.response()
    if (refusal := refuse_state(gateway)) is not None:
        return refusal.response()
    opening = coming.opening()
    speech = dialect(opening.params, beta=opening.dialect == "beta")
    return await hold(request, opening, speech, protocols=protocols, coming=coming)


def _asked(request: web.Request) -> SessionParams:
    """Return what the address asks for."""
    return TranscriptionSessionParams() if "intent" in request.query else RealtimeSessionParams()


def _refuse_upgrade(request: web.Request) -> Refusal | None:
    if request.headers.get(hdrs.UPGRADE, "").lower() != "websocket":
        return Refusal(
            HTTPStatus.UPGRADE_REQUIRED,
            "Expected a WebSocket: /v1/realtime speaks the Realtime protocol, and this asks for no upgrade.",
            code="upgrade_required",
        )
    offered = offered_subprotocols(request)
    if offered and SUBPROTOCOL not in offered:  # what is offered may hold a key, so it is not repeated
        return Refusal(
            HTTPStatus.BAD_REQUEST,
            f"Expected the subprotocol {SUBPROTOCOL!r} among those offered.",
            code="unsupported_subprotocol",
        )
    return None


def _refuse_query(request: web.Request, *, granted: bool, beta: bool) -> Refusal | None:
    if (call_id := request.query.get("call_id")) is not None:
        return _refuse_call(call_id, granted=granted)
    model, intent = request.query.get("model"), request.query.get("intent")
    # A relay of the beta's time chose the model itself.
    needed = not (intent or granted or beta or request.app[GATEWAY].models.default)
    return _refuse_intent(intent) or _refuse_model(model, needed=needed)


def _refuse_call(call_id: str, *, granted: bool) -> Refusal | None:
    if granted:
        return Refusal(
            HTTPStatus.FORBIDDEN,
            "An ephemeral key opens sessions of its own, and controls no calls.",
            code="call_not_allowed",
            param="call_id",
        )
    if not call_id or len(call_id) > MAX_CALL_ID:
        return Refusal(
            HTTPStatus.BAD_REQUEST,
            f"Expected the id of a call, of 1 to {MAX_CALL_ID} characters, got {len(call_id)}.",
            code="invalid_value",
            param="call_id",
        )
    return None


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
