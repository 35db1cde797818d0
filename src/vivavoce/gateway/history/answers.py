"""The responses of a session: how they ended, how long they took to begin, what they used and cost. Pure."""

from collections.abc import Iterable
from typing import Any

import msgspec

from vivavoce.client.prices import price
from vivavoce.client.usage import Tokens, cost
from vivavoce.gateway.history.changes import name, whole
from vivavoce.gateway.opening import Opening
from vivavoce.protocol.responses import Response
from vivavoce.protocol.usage import Usage

__all__ = ["Answers"]


MOST_OPEN = 64
"""Responses that may be under way; of more, the oldest are no longer followed."""


class Answers:
    """Takes note of responses.

    ``now`` is in seconds of a clock that never goes back, ``since`` in seconds since the session's start.
    """

    def __init__(self, opening: Opening) -> None:
        self.model = opening.model
        self._started_at = opening.started_at
        self._asked: float | None = None
        """When the last turn ended, or an answer was asked for."""
        self._open: dict[str, dict[str, Any]] = {}
        self._changed: dict[str, dict[str, Any]] = {}
        self._waiting: dict[str, float] = {}
        """Responses of which nothing has come yet, and when they were asked for."""
        self._silent: dict[str, float] = {}
        """Likewise, of which nothing is to be heard yet."""

    def asked(self, now: float) -> None:
        """Take note that it is the assistant's turn."""
        self._asked = now

    def created(self, response: Response, now: float, since: float) -> None:
        """Take note of a new response."""
        if len(self._open) >= MOST_OPEN:
            self._forget(next(iter(self._open)))
        asked = now if self._asked is None else self._asked
        self._waiting[response.id] = self._silent[response.id] = asked
        self._open[response.id] = self._changed[response.id] = {
            "created_at": self._started_at + since,
            "status": response.status,
            "conversation_id": response.conversation_id,
        }

    def began(self, now: float, *, audio: bool = False) -> None:
        """Take note that something of a response has come, or something to be heard."""
        if self._waiting:
            self._began("first_output_ms", self._waiting, now)
        if audio and self._silent:
            self._began("first_audio_ms", self._silent, now)

    def done(self, response: Response, since: float) -> None:
        """Take note of how a response ended."""
        details = response.status_details
        reason = (details.reason or (details.error and details.error.code)) if details else None
        self._change(
            response.id,
            {
                "created_at": self._started_at + since,
                **self._open.get(response.id, {}),
                "done_at": self._started_at + since,
                "status": response.status,
                "reason": name(str(reason)) if reason else None,
                "conversation_id": response.conversation_id,
                **_usage(response.usage, self.model),
            },
        )
        self._forget(response.id)

    def over(self, since: float) -> None:
        """Take note that responses that are not done never will be."""
        for response_id in list(self._open):
            ended = {"status": "incomplete", "reason": "session_ended", "done_at": self._started_at + since}
            self._change(response_id, ended)
            self._forget(response_id)

    def changed(self) -> Iterable[tuple[str, dict[str, Any]]]:
        """Return the columns of all responses that changed since it was asked last."""
        changed, self._changed = self._changed, {}
        return [(name(response_id), dict(values)) for response_id, values in changed.items()]

    def _began(self, column: str, waiting: dict[str, float], now: float) -> None:
        for response_id, asked in waiting.items():
            self._change(response_id, {column: whole(round((now - asked) * 1000))})
        waiting.clear()

    def _change(self, response_id: str, values: dict[str, Any]) -> None:
        known = self._open.get(response_id, {})
        known |= values
        self._changed[response_id] = known

    def _forget(self, response_id: str) -> None:
        for notes in (self._open, self._waiting, self._silent):
            notes.pop(response_id, None)


def _usage(usage: Usage | None, model: str) -> dict[str, Any]:
    if usage is None:
        return {}
    used = Tokens()
    used.add(usage)
    tokens = Tokens(**{field: whole(getattr(used, field)) for field in Tokens.__dataclass_fields__})
    found = price(model)
    return {
        **{f"{field}_tokens": getattr(tokens, field) for field in Tokens.__dataclass_fields__},
        "usage": msgspec.to_builtins(usage),
        "cost": None if found is None else cost(tokens, found),
    }
