"""``POST /v1/realtime/sessions`` and ``…/transcription_sessions``: an ephemeral key, as the beta asked for it.

The body is the session, flat, with the wishes for the key inside of it; so is the answer, with the key.
"""

from collections.abc import Callable
from typing import Any, Final

import msgspec
from aiohttp import web

from vivavoce.dialects.beta_session import (
    DEFAULT_TEMPERATURE,
    checked_temperature,
    found,
    param_to_beta,
    session_to_beta,
    session_to_ga,
)
from vivavoce.errors import ProtocolError
from vivavoce.gateway.client_secrets import Issued
from vivavoce.gateway.routes.client_secrets import Asked, make_key
from vivavoce.protocol.client_secrets import MAX_SECONDS, MIN_SECONDS
from vivavoce.protocol.codec import decode_client_secret_params, decode_with
from vivavoce.protocol.errors import invalid_type, out_of_bounds
from vivavoce.protocol.session import Session, SessionType
from vivavoce.protocol.session_params import RealtimeSessionParams, TranscriptionSessionParams

__all__ = ["SECONDS", "make_session", "make_transcription_session"]

SECONDS: Final[dict[SessionType, int]] = {"realtime": 60, "transcription": 600}
"""How long the beta's keys lasted."""

_FIELDS: msgspec.json.Decoder[dict[str, Any]] = msgspec.json.Decoder(dict[str, Any])

_EMPTY = {"realtime": RealtimeSessionParams, "transcription": TranscriptionSessionParams}


async def make_session(request: web.Request) -> web.Response:
    """Make a key for sessions in which the model answers."""
    return await make_key(request, _reader("realtime"))


async def make_transcription_session(request: web.Request) -> web.Response:
    """Make a key for sessions that only listen."""
    return await make_key(request, _reader("transcription"))


def _reader(kind: SessionType) -> Callable[[bytes], Asked]:
    def read(body: bytes) -> Asked:
        flat = decode_with(_FIELDS, body) if body.strip() else {}
        try:
            return _asked(flat, kind)
        except ProtocolError as error:
            if error.param is not None:
                told = param_to_beta(error.param).removeprefix("session.")
                error.message = error.message.replace(f"'{error.param}'", f"'{told}'")
                error.param = told
            raise

    return read


def _asked(flat: dict[str, Any], kind: SessionType) -> Asked:
    temperature = checked_temperature(flat, "session") or DEFAULT_TEMPERATURE
    body = msgspec.json.encode({"session": session_to_ga(flat, kind)})
    params = decode_client_secret_params(body).session or _EMPTY[kind]()

    def answer(issued: Issued, session: Session) -> dict[str, Any]:
        told = session_to_beta(msgspec.to_builtins(session), temperature)
        return {**told, "client_secret": {"value": issued.value, "expires_at": issued.expires_at}}

    return Asked(params, _seconds(flat, kind), answer)


def _seconds(flat: dict[str, Any], kind: SessionType) -> int:
    """Return how long the key is to last. The two kinds of sessions call it by different names."""
    name = "expires_after" if kind == "realtime" else "expires_at"
    param = f"client_secret.{name}.seconds"
    seconds = found(flat, ("client_secret", name, "seconds"))
    if seconds in (None, msgspec.UNSET):
        return SECONDS[kind]
    if isinstance(seconds, bool) or not isinstance(seconds, int):
        raise invalid_type(param, "an integer", "something else")
    if not MIN_SECONDS <= seconds <= MAX_SECONDS:
        bound = f">= {MIN_SECONDS}" if seconds < MIN_SECONDS else f"<= {MAX_SECONDS}"
        raise out_of_bounds(param, "integer", bound, seconds)
    return seconds
