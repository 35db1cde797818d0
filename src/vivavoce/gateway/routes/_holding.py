"""Holding a session once it is clear whose it is and what it begins with: the same for every dialect."""

import logging
from dataclasses import replace
from http import HTTPStatus

import msgspec
from aiohttp import web

from vivavoce.errors import ConnectionFailed, ProtocolError
from vivavoce.gateway.auth.door import Admission
from vivavoce.gateway.bridge import Bridge, Limits
from vivavoce.gateway.guarded import Sideband
from vivavoce.gateway.late import Late
from vivavoce.gateway.opening import Opening
from vivavoce.gateway.operations.logs import in_session
from vivavoce.gateway.passage import Dialect, Passage
from vivavoce.gateway.policy.opening import ruled
from vivavoce.gateway.policy.stage import MODEL_NOT_ALLOWED
from vivavoce.gateway.refusal import Refusal
from vivavoce.gateway.routes._readiness import refused_by_upstream
from vivavoce.gateway.routes._resuming import offer
from vivavoce.gateway.settings import GatewaySettings
from vivavoce.gateway.state import GATEWAY, Gateway
from vivavoce.gateway.upstream import Transport
from vivavoce.protocol.session_params import TranscriptionSessionParams

__all__ = ["WARNING", "hold", "resolved"]

WARNING = "Vivavoce-Warning"
"""The header of an upgrade that tells what is the matter with the model that was asked for."""

_log = logging.getLogger("vivavoce.gateway.routes.realtime")


async def hold(
    request: web.Request,
    opening: Opening,
    dialect: Dialect | None = None,
    *,
    admission: Admission | None = None,
    protocols: tuple[str, ...] = (),
) -> web.StreamResponse:
    """Hold a session until one of both sides ends it, or refuse it where the endpoint does.

    ``admission`` let the client in; an ephemeral key for a single session is used up now. ``protocols`` are
    the WebSocket's subprotocols that may be selected.
    """
    gateway = request.app[GATEWAY]
    try:
        opening, warning = resolved(gateway, opening)
    except ProtocolError as error:
        return _no_such_model(error).response()
    if gateway.limiter is None:
        return await _hold(
            request, opening, dialect, admission=admission, protocols=protocols, warning=warning
        )
    if (refusal := await gateway.limiter.enter(opening)) is not None:
        return refusal.response()
    try:
        return await _hold(
            request, opening, dialect, admission=admission, protocols=protocols, warning=warning
        )
    finally:
        await gateway.limiter.leave(opening)


async def _hold(
    request: web.Request,
    opening: Opening,
    dialect: Dialect | None,
    *,
    admission: Admission | None,
    protocols: tuple[str, ...],
    warning: str,
) -> web.StreamResponse:
    gateway = request.app[GATEWAY]
    if not web.WebSocketResponse(protocols=protocols).can_prepare(request):
        raise web.HTTPBadRequest  # before a session is opened for it
    refusal = gateway.sessions.refuse() or (gateway.door.spend(admission) if admission else None)
    if refusal is not None:
        return refusal.response()
    in_session(opening.id, request)
    with gateway.sessions.hold() as place:
        try:
            transport = await _connect(gateway, opening)
        except ConnectionFailed as failed:
            return refused_by_upstream(failed, gateway.settings).response()
        if opening.dialect == "beta" and (milliseconds := gateway.settings.beta_latency_ms):
            transport = Late(transport, milliseconds / 1000)
        beside = isinstance(transport, Sideband)  # the call's own stages see all that passes
        offered = None if beside else offer(gateway, opening)
        first = () if offered is None else (offered.stage,)
        passage = Passage((), dialect) if beside else gateway.passage(opening, dialect, first=first)
        bridge = Bridge(
            transport,
            _limits(gateway.settings),
            passage=passage,
            protocols=protocols,
            resumption=offered.resumption if offered else None,
        )
        if offered is not None:
            offered.to(bridge)
        if warning:
            bridge.socket.headers[WARNING] = warning
        place.take(bridge)
        end = await bridge.run(request)
    _log.info("a session ended: %d", end.code)  # the reason may be the client's own words
    return bridge.socket


async def _connect(gateway: Gateway, opening: Opening) -> Transport:
    if opening.call_id is not None and (held := gateway.calls.find(opening.call_id, opening.caller)):
        return Sideband(held.session)
    return await gateway.upstream.connect(opening.model, opening.params, call_id=opening.call_id)


def resolved(gateway: Gateway, opening: Opening) -> tuple[Opening, str]:
    """Return the opening as policy has it, with the model that its client gets, and what is to be said about its name.

    Raises `ProtocolError` where it may not have that model.
    """
    if gateway.policy is not None:
        opening = ruled(opening, gateway.policy)
    if gateway.tools is not None:
        opening = gateway.tools.begin(opening)
    params = opening.params
    if opening.call_id is not None or isinstance(params, TranscriptionSessionParams):
        return opening, ""
    resolved = gateway.models.resolve(params.model or opening.model)
    if resolved.warning:
        _log.warning("%s", resolved.warning)
    if params.model:
        params = msgspec.structs.replace(params, model=resolved.model)
    return replace(opening, model=resolved.model, params=params), resolved.warning


def _no_such_model(error: ProtocolError) -> Refusal:
    status = HTTPStatus.FORBIDDEN if error.code == MODEL_NOT_ALLOWED else HTTPStatus.NOT_FOUND
    return Refusal(status, error.message, code=error.code or "model_not_found", param=error.param)


def _limits(settings: GatewaySettings) -> Limits:
    return Limits(
        message=settings.max_message_bytes,
        send_buffer=settings.send_buffer_bytes,
        send_timeout=settings.send_timeout_seconds,
        close_timeout=settings.close_timeout_seconds,
        heartbeat=settings.heartbeat_seconds,
    )
