"""Hold a session to its user's limits. Pure but for the store, which it asks beside the session.

Events that would go over a limit of the minute get an ``error``, and the endpoint never hears of them; audio is told of
once in a window. While a portion is asked for, events wait, in their order. When a budget of the day is spent, whatever
would cost more is refused.
"""

import math
from collections import deque
from collections.abc import Callable, Iterable

import msgspec
from msgspec import UNSET

from vivavoce.client.prices import price
from vivavoce.client.usage import Tokens, cost
from vivavoce.errors import ProtocolError
from vivavoce.gateway.limits.meter import Meter
from vivavoce.gateway.limits.store import DAY, LEASE_SECONDS, MINUTE, Level, Store
from vivavoce.gateway.passage import EVERY, Down, Effect, Run, Stage, Up
from vivavoce.gateway.policy.rules import Limits
from vivavoce.protocol.codec import Frame, encode
from vivavoce.protocol.ids import Ids
from vivavoce.protocol.server_events import (
    ConversationItemInputAudioTranscriptionCompleted,
    ErrorEvent,
    RateLimit,
    RateLimitsUpdated,
    ResponseDone,
)
from vivavoce.protocol.usage import TranscriptionTokens

__all__ = ["MOST_HELD", "RATE_LIMIT_EXCEEDED", "LimitStage", "counters"]

RATE_LIMIT_EXCEEDED = "rate_limit_exceeded"

MOST_HELD = 256
"""Events that may wait for a portion; one more is refused. That is ten seconds of audio."""

MICRO = 1_000_000
"""Millionths of a dollar in one."""

_APPEND = "input_audio_buffer.append"
_COSTLY = frozenset({_APPEND, "input_audio_buffer.commit", "response.create", "conversation.item.create"})
"""What makes a model read or write."""

_DONE = "response.done"
_TRANSCRIBED = "conversation.item.input_audio_transcription.completed"
_CONFIGURED = frozenset({"session.created", "session.updated"})

_BYTES_PER_SECOND = {"audio/pcm": 48_000, "audio/pcmu": 8_000, "audio/pcma": 8_000}

_IDS = Ids()


class _Audio(msgspec.Struct):
    audio: str = ""


class _Format(msgspec.Struct, frozen=True):
    type: str = "audio/pcm"


class _Input(msgspec.Struct, frozen=True):
    format: _Format = _Format()


class _SessionAudio(msgspec.Struct, frozen=True):
    input: _Input = _Input()


class _Session(msgspec.Struct, frozen=True):
    audio: _SessionAudio = _SessionAudio()


class _Configured(msgspec.Struct):
    session: _Session = _Session()


class _Named(msgspec.Struct):
    event_id: str | None = None


_AUDIO = msgspec.json.Decoder(_Audio)
_CONFIGURATION = msgspec.json.Decoder(_Configured)
_NAMED = msgspec.json.Decoder(_Named)


def counters(user: str) -> tuple[str, str, str, str]:
    """Return where a user's events, audio, tokens and dollars are counted."""
    return f"events:{user}", f"audio:{user}", f"tokens:{user}", f"dollars:{user}"


class LimitStage(Stage):
    """The limits of one session."""

    def __init__(
        self,
        limits: Limits,
        store: Store,
        *,
        user: str,
        session: str,
        model: str,
        counted: bool,
        clock: Callable[[], float],
    ) -> None:
        """Count with ``store``.

        ``counted``: the session is among those that there may be so many of. ``clock`` is the one whose time is
        passed in: the store answers when it does.
        """
        events, audio, self._tokens, self._dollars = counters(user)
        self._limits, self._store, self._clock = limits, store, clock
        self._user, self._session, self._price = user, session, price(model)
        self._events = (
            Meter("requests", events, limits.events_per_minute) if limits.events_per_minute else None
        )
        seconds = limits.audio_seconds_per_minute
        self._audio = Meter("audio_seconds", audio, round(seconds * 1000), told=1000) if seconds else None
        self._rate = _BYTES_PER_SECOND["audio/pcm"]
        self._held: deque[Frame] = deque()
        self._silenced_until = 0.0
        self._spent_until = 0.0
        self._counted = counted
        self._renewed: float | None = None
        budget = limits.tokens_per_day is not UNSET or limits.dollars_per_day is not UNSET
        self.wants_up = EVERY if self._events or self._audio or budget else frozenset()
        self.glances_up = frozenset() if self._audio else frozenset({_APPEND})
        self.wants_down = (
            (_CONFIGURED if self._audio else frozenset())
            | (frozenset({_DONE, _TRANSCRIBED}) if budget else frozenset())
            | (frozenset({"rate_limits.updated"}) if limits.tokens_per_day else frozenset())
        )

    def lets_up(self, data: bytes) -> bool:  # noqa: ARG002 - all sound is alike where it is not limited
        """Tell whether sound need neither wait for what was said before it nor be refused."""
        return not (self._held or self._spent_until)

    def up(self, frame: Frame, now: float) -> Iterable[Effect]:
        """Let an event pass, wait or go no further."""
        if not self._held:
            return self._try(frame, now)
        if len(self._held) >= MOST_HELD:
            return self._refuse(frame, "events", 1.0, now)
        self._held.append(frame)
        return ()

    def down(self, frame: Frame, now: float) -> Iterable[Effect]:  # noqa: ARG002 - a clock is for what clients send
        """Learn what was used."""
        match frame.type:
            case "session.created" | "session.updated":
                self._configure(frame)
                return (Down(frame),)
            case "rate_limits.updated":
                return ()  # those of the endpoint are the operator's, and not this client's
        used = _used(frame.server_event())
        return (Down(frame),) if used is None else (Down(frame), Run(lambda: self._count(used)))

    def tick(self, now: float) -> Iterable[Effect]:
        """Keep the session counted among those that are open."""
        if not self._counted:
            return
        if self._renewed is None:
            self._renewed = now
        elif now - self._renewed >= LEASE_SECONDS / 3:
            self._renewed = now
            yield Run(self._renew)

    def _try(self, frame: Frame, now: float) -> Iterable[Effect]:
        if now < self._spent_until and frame.type in _COSTLY:
            return self._refuse(frame, "the budget of the day", self._spent_until - now, now)
        meter, cost = self._meter(frame)
        if meter is None:
            return (Up(frame),)
        verdict = meter.spend(cost, now)
        if verdict == "refuse":
            return self._refuse(frame, meter.name, meter.resets_in(now), now)
        if verdict == "wait":
            self._held.append(frame)
        amount = meter.wants(cost, now)
        asking = (Run(lambda: self._ask(meter, amount)),) if amount else ()
        return asking if verdict == "wait" else (Up(frame), *asking)

    def _meter(self, frame: Frame) -> tuple[Meter | None, int]:
        if frame.type != _APPEND:
            return self._events, 1
        if self._audio is None:
            return None, 0
        try:
            audio = _AUDIO.decode(frame.data).audio
        except (msgspec.DecodeError, UnicodeError):
            return None, 0  # the endpoint says what is wrong with it
        return self._audio, math.ceil(len(audio) * 3 / 4 / self._rate * 1000)

    async def _ask(self, meter: Meter, amount: int) -> Iterable[Effect]:
        level = await self._store.take(meter.counter, amount, meter.limit, MINUTE)
        return self._given(meter, level, amount, self._clock())

    def _given(self, meter: Meter, level: Level, amount: int, now: float) -> list[Effect]:
        was_near = meter.near
        meter.take(level, amount, now)
        effects: list[Effect] = []
        if meter.near and not was_near:
            effects.append(_tell(meter.name, meter.limit // meter.told, meter.remaining // meter.told, level))
        held, self._held = self._held, deque()
        for frame in held:
            effects.extend(self.up(frame, now))
        return effects

    async def _count(self, used: tuple[int, Tokens]) -> Iterable[Effect]:
        tokens, by_kind = used
        limits, told = self._limits, []
        effects: list[Effect] = []
        if limits.tokens_per_day:
            level = await self._store.add(self._tokens, tokens, DAY)
            told.append((level, limits.tokens_per_day))
            effects.append(_tell("tokens", limits.tokens_per_day, limits.tokens_per_day - level.used, level))
        if limits.dollars_per_day and self._price is not None:
            micro = math.ceil(cost(by_kind, self._price) * MICRO)
            level = await self._store.add(self._dollars, micro, DAY)
            told.append((level, math.floor(limits.dollars_per_day * MICRO)))
        spent = [level.resets_in for level, limit in told if level.used >= limit]
        self._spent(max(spent, default=0.0), self._clock())
        return effects

    def _spent(self, seconds: float, now: float) -> None:
        if seconds:
            self._spent_until = now + seconds

    async def _renew(self) -> Iterable[Effect]:
        await self._store.enter(self._user, self._session, None, None)
        return ()

    def _configure(self, frame: Frame) -> None:
        try:
            kind = _CONFIGURATION.decode(frame.data).session.audio.input.format.type
        except msgspec.DecodeError:
            return
        self._rate = _BYTES_PER_SECOND.get(kind, self._rate)

    def _refuse(self, frame: Frame, what: str, seconds: float, now: float) -> Iterable[Effect]:
        if frame.type == _APPEND:
            if now < self._silenced_until:
                return ()
            self._silenced_until = now + seconds
        return (_complain(frame, what, seconds),)


def _used(event: object) -> tuple[int, Tokens] | None:
    """Return the tokens that an event tells of: how many, and of which kind; None where it tells of none."""
    tokens = Tokens()
    match event:
        case ResponseDone(response=response) if response.usage is not None:
            tokens.add(response.usage)
            return response.usage.total_tokens, tokens
        case ConversationItemInputAudioTranscriptionCompleted(usage=TranscriptionTokens() as usage):
            return usage.total_tokens, tokens
    return None


def _tell(name: str, limit: int, remaining: int, level: Level) -> Down:
    limits = [
        RateLimit(
            name=name, limit=limit, remaining=max(0, remaining), reset_seconds=round(level.resets_in, 3)
        )
    ]
    return Down(Frame(encode(RateLimitsUpdated(event_id=_IDS.event(), rate_limits=limits))))


def _complain(frame: Frame, what: str, seconds: float) -> Down:
    error = ProtocolError(
        f"Rate limit reached for {what}. There is more in {seconds:.0f} seconds.",
        code=RATE_LIMIT_EXCEEDED,
        type="rate_limit_error",
    )
    try:
        error.event_id = _NAMED.decode(frame.data).event_id
    except (msgspec.DecodeError, UnicodeError):
        error.event_id = None
    event = ErrorEvent.of(error)
    event.event_id = _IDS.event()
    return Down(Frame(encode(event)))
