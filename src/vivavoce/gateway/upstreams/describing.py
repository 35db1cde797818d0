"""The session that an endpoint opens for certain parameters, told without asking it. Pure."""

from typing import Any, TypeVar

import msgspec

from vivavoce.protocol.session import RealtimeSession, Session, TranscriptionSession
from vivavoce.protocol.session_params import RealtimeSessionParams, SessionParams

__all__ = ["described"]

S = TypeVar("S", RealtimeSession, TranscriptionSession)


TRANSCRIBER = "gpt-4o-mini-transcribe"
"""What writes down what is heard, where nobody says what should."""


def described(session_id: str, params: SessionParams) -> Session:
    """Return the whole session: what ``params`` say, and the protocol's defaults for the rest.

    It is what the endpoint is going to be asked for; whether it serves all of that shows when it is asked.
    """
    if isinstance(params, RealtimeSessionParams):
        return _filled(RealtimeSession(id=session_id), params)
    return _filled(TranscriptionSession(id=session_id), params)


def _filled(session: S, params: SessionParams) -> S:
    return msgspec.convert(_merged(msgspec.to_builtins(session), msgspec.to_builtins(params)), type(session))


def _merged(whole: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    merged = dict(whole)
    for name, value in changes.items():
        old = merged.get(name)
        if isinstance(value, dict) and isinstance(old, dict) and value.get("type") in (None, old.get("type")):
            merged[name] = _merged(old, value)
        elif name == "transcription" and value is not None:
            merged[name] = {"model": TRANSCRIBER} | value
        elif value is not None or name == "turn_detection":  # null is a value of its own there alone
            merged[name] = value
    return merged
