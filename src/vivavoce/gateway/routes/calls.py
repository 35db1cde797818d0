"""``POST /v1/realtime/calls``: a call over WebRTC, for which this server is the peer.

And how it goes on over another way (``PATCH``, as in WHIP, RFC 9725), and is hung up.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from http import HTTPStatus

from aiohttp import BodyPartReader, hdrs, web
from aiohttp.http_exceptions import HttpProcessingError

from vivavoce.errors import ConnectionFailed, ProtocolError, VivaVoceError
from vivavoce.gateway.auth.door import Admission
from vivavoce.gateway.calls import NO_RESTART, Calls, Controlled, Held
from vivavoce.gateway.dialects import dialect
from vivavoce.gateway.guarded import Guarded
from vivavoce.gateway.loopback import is_wildcard
from vivavoce.gateway.opening import Caller, Opening
from vivavoce.gateway.operations.logs import in_session
from vivavoce.gateway.policy.stage import check_params
from vivavoce.gateway.refusal import Refusal
from vivavoce.gateway.routes._beside import elsewhere, no_such_call
from vivavoce.gateway.routes._holding import resolved
from vivavoce.gateway.routes._readiness import refuse_state, refused_by_upstream
from vivavoce.gateway.sessions import Place
from vivavoce.gateway.state import GATEWAY, Gateway
from vivavoce.gateway.upstream import Transport
from vivavoce.protocol.codec import decode_client_secret_params
from vivavoce.protocol.ids import Ids
from vivavoce.protocol.session import DEFAULT_MODEL
from vivavoce.protocol.session_params import RealtimeSessionParams, SessionParams
from vivavoce.webrtc.call import Call
from vivavoce.webrtc.door import UdpDoor
from vivavoce.webrtc.leg import IceServer

__all__ = ["add_calls", "begin_beta_call", "begin_call", "hang_up", "restart_call"]

_IDS = Ids()
_log = logging.getLogger(__name__)

SDP = "application/sdp"

_STATUS = {"call_not_connected": HTTPStatus.CONFLICT, NO_RESTART: HTTPStatus.UNPROCESSABLE_ENTITY}
"""Of refusals that are about the call and not about what was sent."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a request for a call brings."""

    offer: str
    session: SessionParams | None


def add_calls(app: web.Application) -> None:
    """Let an application take calls. Raises `VivaVoceError` where nobody could be told where they come through."""
    settings = app[GATEWAY].settings
    if settings.call_port is not None:
        if settings.public_address is None and is_wildcard(settings.host):
            raise VivaVoceError(
                "VIVAVOCE_CALL_PORT: expected VIVAVOCE_PUBLIC_ADDRESS too, the address under which callers reach this "
                f"machine, since VIVAVOCE_HOST is {settings.host}, which is no address that they could send to."
            )
        app.cleanup_ctx.append(_call_door)
    app.router.add_post("/v1/realtime/calls", begin_call)
    app.router.add_patch("/v1/realtime/calls/{call_id}", restart_call)
    app.router.add_post("/v1/realtime/calls/{call_id}/hangup", hang_up)
    app.router.add_post("/v1/realtime", begin_beta_call)


async def _call_door(app: web.Application) -> AsyncIterator[None]:
    gateway = app[GATEWAY]
    settings = gateway.settings
    assert settings.call_port is not None
    address = settings.public_address or settings.host
    door = gateway.calls.door = await UdpDoor.open(settings.host, settings.call_port, address)
    yield
    await door.close()


async def begin_call(request: web.Request, *, beta: bool = False) -> web.Response:
    """Answer a peer's offer: 201, the answer as SDP, and in ``Location`` where the call is to be found.

    The body is either the offer alone, as ``application/sdp``, or a form with ``sdp`` and ``session``.
    """
    gateway = request.app[GATEWAY]
    admission = await gateway.door.admit(request)
    if isinstance(admission, Refusal):
        return admission.response()
    if (refusal := refuse_state(gateway)) is not None:
        return refusal.response()
    try:
        asked = await _asked(request)
        opening = _opening(request, gateway, admission, asked, beta=beta)
        return await _begin(gateway, admission, opening, asked.offer)
    except ProtocolError as error:
        return _refused(error).response()


async def begin_beta_call(request: web.Request) -> web.Response:
    """Answer a peer of the beta: it posts its offer to ``/v1/realtime?model=``, and speaks as the beta did."""
    return await begin_call(request, beta=True)


async def restart_call(request: web.Request) -> web.Response:
    """Answer a peer's new offer for its call, an ICE restart: 200, and the answer as SDP.

    Whoever may begin a call for this user may do so; that it is the same peer, its DTLS fingerprint shows.
    """
    gateway = request.app[GATEWAY]
    admission = await gateway.door.admit(request)
    if isinstance(admission, Refusal):
        return admission.response()
    call_id = request.match_info["call_id"]
    held = gateway.calls.find(call_id, admission.caller)
    if held is None:
        process = await _process(gateway, call_id, admission.caller)
        return (no_such_call() if process is None else elsewhere(process)).response()
    try:
        if request.content_type != SDP:
            raise _not_taken(f"{SDP!r}", request)
        answer = await held.call.restart(_text(await request.read(), "the body"))
    except ProtocolError as error:
        return _refused(error).response()
    headers = {hdrs.CACHE_CONTROL: "no-store"}
    return web.Response(text=answer, content_type=SDP, headers=headers)


async def hang_up(request: web.Request) -> web.Response:
    """End a call: 200, or 404 where there is none of this id that is the caller's.

    Whoever may begin a call for this user may do so: a page that gives one up has no other key.
    """
    gateway = request.app[GATEWAY]
    admission = await gateway.door.admit(request)
    if isinstance(admission, Refusal):
        return admission.response()
    caller, call_id = admission.caller, request.match_info["call_id"]
    held = gateway.calls.find(call_id, caller)
    if held is None:
        process = await _process(gateway, call_id, caller)
        if process is None or gateway.processes is None:
            return no_such_call().response()
        ended = await gateway.processes.hang_up(process, call_id)
        return web.Response(status=HTTPStatus.OK) if ended else elsewhere(process).response()
    held.call.end(1000, "hung up")
    return web.Response(status=HTTPStatus.OK)


async def _process(gateway: Gateway, call_id: str, caller: Caller) -> str | None:
    """Return which other process has a call of this caller's."""
    found = None if gateway.processes is None else await gateway.processes.find_call(call_id, caller)
    return found.process if found is not None and found.theirs else None


async def _asked(request: web.Request) -> _Asked:
    if request.content_type == SDP:
        return _Asked(_text(await request.read(), "the body"), None)
    if request.content_type != "multipart/form-data":
        raise _not_taken(f"{SDP!r} or 'multipart/form-data'", request)
    parts: dict[str, bytes] = {}
    try:
        async for part in await request.multipart():
            if isinstance(part, BodyPartReader) and part.name in {"sdp", "session"}:
                parts[part.name] = bytes(await part.read(decode=True))
    except (ValueError, HttpProcessingError) as error:
        raise ProtocolError(f"This is no form that can be read: {error}.", code="invalid_value") from error
    if "sdp" not in parts:
        raise ProtocolError(
            "Missing required parameter: 'sdp'.", code="missing_required_parameter", param="sdp"
        )
    return _Asked(_text(parts["sdp"], "sdp"), _session(parts.get("session")))


def _not_taken(expected: str, request: web.Request) -> ProtocolError:
    return ProtocolError(
        f"Expected a body of the content type {expected}, got {request.content_type!r}.",
        code="unsupported_content_type",
    )


def _refused(error: ProtocolError) -> Refusal:
    code = error.code or "invalid_value"
    return Refusal(_STATUS.get(code, HTTPStatus.BAD_REQUEST), error.message, code=code, param=error.param)


def _text(data: bytes, what: str) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise ProtocolError(
            f"Expected {what} to be UTF-8: {error}.", code="invalid_offer", param="sdp"
        ) from error


def _session(data: bytes | None) -> SessionParams | None:
    if data is None:
        return None
    return decode_client_secret_params(b'{"session":' + data + b"}").session or None


def _opening(
    request: web.Request, gateway: Gateway, admission: Admission, asked: _Asked, *, beta: bool
) -> Opening:
    params = admission.granted or asked.session or RealtimeSessionParams()
    if not isinstance(params, RealtimeSessionParams):
        raise ProtocolError(
            "Expected a session of the type 'realtime': a call is a conversation.",
            code="invalid_value",
            param="session.type",
        )
    return Opening(
        id=_IDS.session(),
        caller=admission.caller,
        model=request.query.get("model") or gateway.models.default or DEFAULT_MODEL,
        params=params,
        dialect="beta" if beta else "ga",
        started_at=time.time(),
        line="webrtc",
    )


async def _begin(gateway: Gateway, admission: Admission, opening: Opening, offer: str) -> web.Response:
    if gateway.policy is not None and admission.granted is None:
        check_params(opening.params, gateway.policy.rules(opening.caller))
    opening, _ = resolved(gateway, opening)
    if gateway.limiter is not None and (refusal := await gateway.limiter.enter(opening)) is not None:
        return refusal.response()
    refusal = gateway.sessions.refuse() or await gateway.door.spend(admission) or gateway.sessions.refuse()
    if refusal is not None:
        if gateway.limiter is not None:
            await gateway.limiter.leave(opening)
        return refusal.response()
    answered: asyncio.Future[tuple[str, str]] = asyncio.get_running_loop().create_future()
    holding = ExitStack()
    place = holding.enter_context(gateway.sessions.hold())  # without a pause after there was one
    task = asyncio.create_task(_counted(gateway, opening, offer, answered, place), name=f"call {opening.id}")
    task.add_done_callback(lambda _: holding.close())
    gateway.calls.keep(task)
    try:
        answer, call_id = await asyncio.shield(answered)
    except ConnectionFailed as failed:
        return refused_by_upstream(failed, gateway.settings).response()
    return web.Response(
        status=HTTPStatus.CREATED,
        text=answer,
        content_type=SDP,
        headers={hdrs.LOCATION: f"/v1/realtime/calls/{call_id}", hdrs.CACHE_CONTROL: "no-store"},
    )


async def _counted(
    gateway: Gateway, opening: Opening, offer: str, answered: "asyncio.Future[tuple[str, str]]", place: Place
) -> None:
    in_session(opening.id)
    try:
        await _hold(gateway, opening, offer, answered, place)
    finally:
        if not answered.done():
            answered.set_exception(ConnectionFailed("The call failed; this is a defect of the server."))
        if gateway.limiter is not None:
            await gateway.limiter.leave(opening)


async def _hold(
    gateway: Gateway, opening: Opening, offer: str, answered: "asyncio.Future[tuple[str, str]]", place: Place
) -> None:
    """Hold a call from its offer to its end, here or, by a sideband, where the endpoint takes it itself."""
    take = _here if gateway.call_relay is None else _there
    try:
        held, answer = await take(gateway, opening, offer)
    except (ConnectionFailed, ProtocolError) as error:
        answered.set_exception(error)
        return
    place.take(held.call)
    with gateway.calls.hold(held):
        if gateway.processes is not None:
            await gateway.processes.call_began(held)
        answered.set_result((answer, held.id))
        try:
            lost = await held.call.run()
        finally:
            if gateway.processes is not None:
                await gateway.processes.call_ended(held)
    _log.info("a call ended: %d", lost.code)


async def _here(gateway: Gateway, opening: Opening, offer: str) -> tuple[Held, str]:
    """Be the peer."""
    transport = await gateway.upstream.connect(opening.model, opening.params)
    session = _guarded(gateway, opening, transport)
    call = Call(
        session,
        ice_servers=ice_servers(gateway.settings.ice_servers),
        door=gateway.calls.door,
        public_address=gateway.settings.public_address,
        most_bytes=gateway.settings.max_message_bytes,
        beside=session.tell,
    )
    try:
        answer = await call.answer(offer)
    except ProtocolError:
        await session.close()
        raise
    return Held(Calls.new_id(), opening.caller, call, session), answer


async def _there(gateway: Gateway, opening: Opening, offer: str) -> tuple[Held, str]:
    """Pass the offer on, and control what comes of it."""
    relay = gateway.call_relay
    assert relay is not None
    assert isinstance(opening.params, RealtimeSessionParams)
    begun = await relay.begin(offer, opening.model, opening.params)
    try:
        session = _guarded(gateway, opening, await relay.attach(begun.call_id))
    except BaseException:  # whatever it is, nobody else knows of this call
        await relay.hang_up(begun.call_id)
        raise
    call = Controlled(session, lambda: relay.hang_up(begun.call_id))
    return Held(begun.call_id, opening.caller, call, session), begun.answer


def _guarded(gateway: Gateway, opening: Opening, transport: Transport) -> Guarded:
    speech = dialect(opening.params, beta=opening.dialect == "beta")
    return Guarded(transport, gateway.passage(opening, speech))


def ice_servers(urls: Iterable[str]) -> list[IceServer]:
    """Read ``stun:host:port`` and ``turn:user:password@host:port``."""
    return [_ice_server(url) for url in urls]


def _ice_server(url: str) -> IceServer:
    scheme, _, rest = url.partition(":")
    who, at, host = rest.rpartition("@")
    if not at:
        return IceServer(url)
    username, _, credential = who.partition(":")
    return IceServer(f"{scheme}:{host}", username, credential)
