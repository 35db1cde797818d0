"""``POST /v1/realtime/client_secrets``: an ephemeral key, and the session that it opens."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any

import msgspec
from aiohttp import hdrs, web
from msgspec import UNSET

from vivavoce.errors import ProtocolError
from vivavoce.gateway.client_secrets import Granted, Issued
from vivavoce.gateway.opening import Caller
from vivavoce.gateway.policy.stage import check_params
from vivavoce.gateway.refusal import Refusal
from vivavoce.gateway.routes._readiness import refuse_state
from vivavoce.gateway.state import GATEWAY, Gateway
from vivavoce.protocol.client_secrets import ClientSecret, ExpiresAfter
from vivavoce.protocol.codec import decode_client_secret_params
from vivavoce.protocol.session import Session
from vivavoce.protocol.session_params import RealtimeSessionParams, SessionParams

__all__ = ["Asked", "make_client_secret", "make_key"]


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of a key."""

    params: SessionParams
    """What its sessions begin with."""
    seconds: int
    """How long it is to last."""
    answer: Callable[[Issued, Session], Any]
    """Makes the body of the answer, of the key and the session that it opens."""


async def make_client_secret(request: web.Request) -> web.Response:
    """Make an ephemeral key, or say what is wrong with what was asked.

    ``?single_use=true`` makes one that opens a single session.
    """
    return await make_key(request, _read)


async def make_key(request: web.Request, read: Callable[[bytes], Asked]) -> web.Response:
    """Make an ephemeral key; ``read`` makes sense of the body, and raises `ProtocolError` where it has none."""
    gateway = request.app[GATEWAY]
    maker = await gateway.door.authenticate(request)
    if isinstance(maker, Refusal):
        return maker.response()
    caller = gateway.door.guest(request, _maker_of_sessions(gateway, maker))
    if isinstance(caller, Refusal):
        return caller.response()
    refusal = _refuse_content(request) or refuse_state(gateway)
    if refusal is not None:
        return refusal.response()
    try:
        single_use = _single_use(request) or gateway.settings.client_secret_single_use
        return await _make(gateway, read(await request.read()), maker, caller, single_use=single_use)
    except web.HTTPRequestEntityTooLarge:
        limit = gateway.settings.max_body_bytes
        message = f"Expected a body of at most {limit} bytes, got a longer one."
        return Refusal(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE, message, code="request_entity_too_large"
        ).response()
    except ProtocolError as error:
        code = error.code or "invalid_value"
        return Refusal(
            HTTPStatus.BAD_REQUEST, error.message, code=code, type=error.type, param=error.param
        ).response()


def _refuse_content(request: web.Request) -> Refusal | None:
    if request.content_type == "application/json":
        return None
    return Refusal(
        HTTPStatus.BAD_REQUEST,
        f"Expected a body of the content type 'application/json', got {request.content_type!r}.",
        code="unsupported_content_type",
    )


def _maker_of_sessions(gateway: Gateway, maker: Caller) -> Caller:
    """Return whose rules hold for sessions of the keys that somebody makes."""
    group = gateway.policy.rules(maker).ephemeral_group if gateway.policy is not None else UNSET
    return maker if group is UNSET else replace(maker, key=f"{maker.key}/ephemeral", group=group)


def _single_use(request: web.Request) -> bool:
    match request.query.get("single_use"):
        case None | "false":
            return False
        case "true":
            return True
    raise ProtocolError("Expected true or false.", code="invalid_value", param="single_use")


def _read(body: bytes) -> Asked:
    asked = decode_client_secret_params(body)

    def answer(issued: Issued, session: Session) -> ClientSecret:
        return ClientSecret(value=issued.value, expires_at=issued.expires_at, session=session)

    seconds = (asked.expires_after or ExpiresAfter()).seconds
    return Asked(asked.session or RealtimeSessionParams(), seconds, answer)


async def _make(
    gateway: Gateway, asked: Asked, maker: Caller, caller: Caller, *, single_use: bool
) -> web.Response:
    params = asked.params
    if gateway.policy is not None:
        check_params(params, gateway.policy.rules(maker))
    session = gateway.upstream.describe(params)
    granted = Granted(params, caller, single_use=single_use)
    issued = await gateway.client_secrets.issue(granted, seconds=asked.seconds)
    if isinstance(issued, int):
        return Refusal(
            HTTPStatus.SERVICE_UNAVAILABLE,
            f"All {gateway.settings.max_client_secrets} ephemeral keys that there may be at one time are in force. "
            f"The next one expires in {issued} seconds.",
            code="client_secret_limit_reached",
            type="server_error",
            retry_after=issued,
        ).response()
    return web.Response(
        body=msgspec.json.encode(asked.answer(issued, session)),
        content_type="application/json",
        charset="utf-8",
        headers={hdrs.CACHE_CONTROL: "no-store"},
    )
