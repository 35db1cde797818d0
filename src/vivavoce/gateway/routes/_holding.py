"""Holding a session once it is clear whose it is and what it begins with: the same for every dialect."""

import logging
from contextlib import suppress
from dataclasses import dataclass, replace
from http import HTTPStatus

import msgspec
from aiohttp import web

from vivavoce.errors import ConnectionFailed, LinkError, ProtocolError
from vivavoce.gateway.auth.door import Admission
from vivavoce.gateway.bridge import Bridge, Limits
from vivavoce.gateway.calls import Held
from vivavoce.gateway.guarded import Sideband
from vivavoce.gateway.late import Late
from vivavoce.gateway.opening import Opening
from vivavoce.gateway.operations.logs import in_session
from vivavoce.gateway.passage import Dialect, Passage
from vivavoce.gateway.policy.opening import ruled
from vivavoce.gateway.policy.stage import MODEL_NOT_ALLOWED
from vivavoce.gateway.refusal import Refusal
from vivavoce.gateway.routes._beside import controlled, sideband
from vivavoce.gateway.routes._moving import Coming, Gone, not_found, unavailable
from vivavoce.gateway.routes._readiness import refused_by_upstream
from vivavoce.gateway.routes._resuming import offer
from vivavoce.gateway.settings import GatewaySettings
from vivavoce.gateway.state import GATEWAY, Gateway
from vivavoce.gateway.upstream import Transport
from vivavoce.gateway.upstreams.enduring import EnduringTransport, EnduringUpstream
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
    coming: Coming | None = None,
) -> web.StreamResponse:
    """Hold a session until one of both sides ends it, or refuse it where the endpoint does.

    ``admission`` let the client in; an ephemeral key for a single session is used up now. ``protocols`` are
    the WebSocket's subprotocols that may be selected. A client that is ``coming`` goes on with a session of another
    process.
    """
    gateway, warning = request.app[GATEWAY], ""
    if coming is None:
        try:
            opening, warning = resolved(gateway, opening)
        except ProtocolError as error:
            return _no_such_model(error).response()
    call = await controlled(gateway, opening)
    if isinstance(call, Refusal):
        return call.response()
    entrance = _Entrance(admission, protocols, warning, coming, call)
    if gateway.limiter is None or call is not None:
        return await _hold(request, opening, dialect, entrance)
    if coming is not None:  # it counts there no more
        await gateway.limiter.leave(coming.snapshot.opening)
    if (refusal := await gateway.limiter.enter(opening)) is not None:
        return refusal.response()
    try:
        return await _hold(request, opening, dialect, entrance)
    finally:
        await gateway.limiter.leave(opening)


@dataclass(frozen=True, slots=True)
class _Entrance:
    """How a client comes in."""

    admission: Admission | None
    protocols: tuple[str, ...]
    warning: str
    coming: Coming | None
    call: Held | None
    """The call that it comes to control."""


async def _hold(
    request: web.Request, opening: Opening, dialect: Dialect | None, entrance: _Entrance
) -> web.StreamResponse:
    gateway, coming, beside = request.app[GATEWAY], entrance.coming, entrance.call is not None
    if not web.WebSocketResponse(protocols=entrance.protocols).can_prepare(request):
        raise web.HTTPBadRequest  # before a session is opened for it
    if (refusal := gateway.sessions.refuse(beside=beside)) is not None:
        return refusal.response()
    in_session(opening.id, request)
    with gateway.sessions.hold(beside=beside) as place:
        if entrance.admission and (refusal := await gateway.door.spend(entrance.admission)) is not None:
            return refusal.response()
        transport = await _connect(gateway, opening, entrance)
        if isinstance(transport, Refusal):
            return transport.response()
        if coming is not None:
            opening = coming.aged(opening)
        bridge = _bridge(gateway, opening, dialect, entrance, transport)
        place.take(bridge)
        end = await bridge.run(request)
        if coming is not None and not bridge.socket.prepared:
            with suppress(LinkError):
                await coming.give_back()
    _log.info("a session ended: %d", end.code)  # the reason may be the client's own words
    return bridge.socket


def _bridge(
    gateway: Gateway,
    opening: Opening,
    dialect: Dialect | None,
    entrance: _Entrance,
    transport: Transport,
) -> Bridge:
    beside = isinstance(transport, Sideband)  # the call's own stages see all that passes
    offered = None if beside else offer(gateway, opening, transport)
    moved = None
    if entrance.coming is not None and offered is not None and isinstance(transport, EnduringTransport):
        moved = entrance.coming.moved(transport, offered.token)
    first = () if offered is None or moved is not None else (offered.stage,)
    if opening.dialect == "beta" and (milliseconds := gateway.settings.beta_latency_ms):
        transport = Late(transport, milliseconds / 1000)
    bridge = Bridge(
        transport,
        _limits(gateway.settings),
        passage=Passage((), dialect) if beside else gateway.passage(opening, dialect, first=first),
        protocols=entrance.protocols,
        resumption=offered.resumption if offered else None,
        moved=moved,
    )
    if offered is not None:
        offered.to(bridge)
    if entrance.warning:
        bridge.socket.headers[WARNING] = entrance.warning
    return bridge


async def _connect(gateway: Gateway, opening: Opening, entrance: _Entrance) -> Transport | Refusal:
    """Open a session with the endpoint, or stand beside a call's; or return why there is none."""
    try:
        if entrance.coming is not None:
            assert isinstance(gateway.upstream, EnduringUpstream)
            return await entrance.coming.connect(gateway.upstream)
        if entrance.call is not None:
            return sideband(entrance.call)
        return await gateway.upstream.connect(opening.model, opening.params, call_id=opening.call_id)
    except ConnectionFailed as failed:
        return refused_by_upstream(failed, gateway.settings)
    except LinkError as down:
        return unavailable(down, gateway.settings)
    except Gone:
        return not_found()


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
