"""Results that come when the conversation has gone on, and the moment to tell them. Pure.

A call that works in the background has its answer at once: that it has begun. The protocol has one output for each
call, so the result itself is told as another call of the same name with the same arguments, which the client puts
into the conversation together with its output. Thus it stays what a tool said, and has neither the authority of a
system message nor the voice of the user; and it can be told in a session that does not know the first call.

It is told when nobody speaks: neither the assistant, nor the user.
"""

from dataclasses import dataclass, field

import msgspec

from vivavoce.protocol.codec import UnknownEvent
from vivavoce.protocol.ids import Ids
from vivavoce.protocol.items import FunctionCall, FunctionCallOutput
from vivavoce.protocol.server_events import (
    InputAudioBufferCleared,
    InputAudioBufferSpeechStarted,
    InputAudioBufferSpeechStopped,
    ServerEvent,
    SessionCreated,
)

__all__ = ["STARTED", "UNDER_WAY", "LateResults"]

STARTED = (
    '{"status":"started","note":"This takes a while, and its result is told as soon as it is there. '
    'Say that you are on it, and go on talking. Do not call it again meanwhile."}'
)
"""The output of a call that works in the background."""

UNDER_WAY = '{"status":"in_progress","note":"This was started before, and its result is told as soon as it is there."}'
"""The output of the same call, made again meanwhile."""

TELL = "Tell the user this result now."
"""Comes after a late result: without it, small models thank for it and keep it to themselves."""


@dataclass(slots=True)
class LateResults:
    """Give it every server event and every late result; it says what to tell when the moment is there."""

    ids: Ids
    _waiting: list[FunctionCall | FunctionCallOutput] = field(default_factory=list)
    _user_speaks: bool = False

    def fold(self, event: ServerEvent | UnknownEvent) -> None:
        """Take a server event."""
        match event:
            case SessionCreated():
                self._user_speaks = False  # nobody has spoken in this one yet
            case InputAudioBufferSpeechStarted():
                self._user_speaks = True
            case InputAudioBufferSpeechStopped() | InputAudioBufferCleared():
                self._user_speaks = False

    def add(self, call: FunctionCall, result: str) -> None:
        """Keep the result of a call until it can be told."""
        call_id = self.ids.call()
        self._waiting += [
            FunctionCall(name=call.name, call_id=call_id, arguments=call.arguments),
            FunctionCallOutput(call_id=call_id, output=_done(result)),
        ]

    def due(self, *, free: bool) -> list[FunctionCall | FunctionCallOutput]:
        """Return what to put into the conversation now, for a response to speak about.

        ``free`` is whether the conversation has no response, and none has been asked for.
        """
        if self._user_speaks or not free:
            return []
        due, self._waiting = self._waiting, []
        return due


def _done(result: str) -> str:
    try:
        told: object = msgspec.Raw(msgspec.json.encode(msgspec.json.decode(result)))
    except (msgspec.DecodeError, RecursionError):
        told = result
    return msgspec.json.encode({"status": "done", "result": told, "note": TELL}).decode()
