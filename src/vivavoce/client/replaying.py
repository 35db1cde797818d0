"""Play the client's side of a recording again, to any endpoint."""

import asyncio
import base64
from collections import defaultdict
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

import msgspec
import numpy as np

from vivavoce.audio import formats
from vivavoce.client.frames import Frame
from vivavoce.client.notices import Notice
from vivavoce.client.realtime import RealtimeClient
from vivavoce.client.streams import StreamEvent
from vivavoce.errors import ProtocolError
from vivavoce.protocol import client_events as client_side
from vivavoce.protocol import items
from vivavoce.protocol import server_events as server
from vivavoce.protocol.codec import UnknownEvent, decode_client_event, decode_server_event
from vivavoce.protocol.session import RealtimeSession

__all__ = ["PATIENCE_SECONDS", "replay"]

PATIENCE_SECONDS = 30.0
"""An answer that was there in the recording is waited for, but not for longer than the endpoint is silent so long."""

FRAME_SECONDS = 0.04
"""Silence that is sent at a time where the user of the recording was not silent for long enough."""


async def replay(
    frames: Iterable[Frame],
    client: RealtimeClient,
    *,
    speed: float = 1.0,
    left_out: Callable[[str], None] = lambda _: None,
) -> None:
    """Send what the client of a recording sent, ``speed`` times as fast, and wait for the last answer.

    What followed an answer waits for the answer here, however long that takes; somebody who was listening goes on
    being silent meanwhile. What was said about an item, a call or a response goes to the one in the same place here.
    Where there is none, it is left out, and ``left_out`` is told. Raises `ConnectionLost`.
    """
    await _Replay(client, speed, left_out).play(frames)


class _Seen:
    """What a server has made so far, in order."""

    def __init__(self) -> None:
        self.begun = self.done = 0
        self.milliseconds: dict[str, float] = defaultdict(float)
        """Of sound, by item."""
        self.ids: dict[str, list[str]] = defaultdict(list)
        self._format = formats.PCM

    def take(self, event: server.ServerEvent | UnknownEvent) -> None:
        match event:
            case server.SessionCreated(session=session) | server.SessionUpdated(session=session):
                if isinstance(session, RealtimeSession):
                    self._format = session.audio.output.format.type
            case server.ResponseCreated(response=response):
                self.begun += 1
                self.ids["response"].append(response.id)
            case server.ResponseDone():
                self.done += 1
            case server.ConversationItemAdded(item=items.FunctionCall() as call):
                self.ids[f"function_call {call.name}"].append(call.id)
                self.ids[f"call of {call.name}"].append(call.call_id)
            case server.ConversationItemAdded(item=item):
                self.ids[f"{item.type} {getattr(item, 'role', '')}"].append(item.id)
            case server.ResponseOutputAudioDelta(item_id=item_id, delta=delta):
                size = len(delta) * 3 // 4
                self.milliseconds[item_id] += formats.samples(size, self._format) * 1000 / formats.RATE

    def counterpart(self, theirs: "_Seen", id: str) -> str | None:  # noqa: A002 - the protocol's name
        """Return what stands with them where this id stands here; an id of neither side is the client's own."""
        for kind, ids in self.ids.items():
            if id in ids:
                others = theirs.ids.get(kind, [])
                index = ids.index(id)
                return others[index] if index < len(others) else None
        return id


class _Replay:
    def __init__(self, client: RealtimeClient, speed: float, left_out: Callable[[str], None]) -> None:
        self._client = client
        self._speed = speed
        self._left_out = left_out
        self._then = _Seen()
        self._now = _Seen()
        self._loop = asyncio.get_running_loop()
        self._news = asyncio.Event()
        self._heard = self._begun = self._loop.time()
        self._listened = False
        """Whether the recording has an open microphone here."""
        self._silence_due = 0.0
        self._given_up = 0
        self._skipped_output = False

    async def play(self, frames: Iterable[Frame]) -> None:
        forget = self._client.on("*", self._take)
        try:
            for frame in frames:
                if frame.dir == "S":
                    with suppress(ProtocolError):
                        self._then.take(decode_server_event(msgspec.json.encode(frame.event)))
                    continue
                due = self._begun + (frame.t or 0.0) / self._speed
                await asyncio.sleep(due - self._loop.time())
                await self._wait(lambda: self._now.done >= self._then.done - self._given_up)
                await self._send(frame.event)
            await self._wait(
                lambda: (
                    self._now.done >= self._then.done - self._given_up and self._now.done >= self._now.begun
                )
            )
        finally:
            forget()

    def _take(self, event: StreamEvent) -> None:
        if not isinstance(event, Notice):
            self._now.take(event)
        self._heard = self._loop.time()
        self._news.set()

    async def _wait(self, reached: Callable[[], bool]) -> None:
        """Wait for the endpoint; all that is due later is due so much later."""
        began = self._loop.time()
        self._heard = max(self._heard, began)
        while not reached():
            now = self._loop.time()
            if now - self._heard > PATIENCE_SECONDS:
                self._given_up = max(self._given_up, self._then.done - self._now.done)
                self._left_out("An answer of the recording has no counterpart here.")
                break
            if self._listened and now >= self._silence_due:
                self._silence_due = now + FRAME_SECONDS / self._speed
                await self._client.send(client_side.InputAudioBufferAppend(audio=self._silence()))
            self._news.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(FRAME_SECONDS / self._speed):
                    await self._news.wait()
        self._begun += self._loop.time() - began

    def _silence(self) -> str:
        session = self._client.session
        name = session.audio.input.format.type if isinstance(session, RealtimeSession) else formats.PCM
        return base64.b64encode(formats.encode(np.zeros(960, np.int16), name)).decode()

    async def _send(self, recorded: dict[str, Any]) -> None:
        await self._wait(
            lambda: self._named(recorded) is not None or self._now.done >= self._then.begun - self._given_up
        )
        named = self._named(recorded)
        kind = recorded.get("type")
        if named is None:
            self._skipped_output |= kind == "conversation.item.create"
            self._left_out(f"{kind} is about something that is not here.")
            return
        try:
            event = decode_client_event(msgspec.json.encode(named))
        except ProtocolError as error:
            self._left_out(f"{kind} cannot be sent: {error}")
            return
        skipped, self._skipped_output = self._skipped_output, False
        match event:
            case client_side.ResponseCreate() if skipped:
                self._given_up += 1  # what it was answered with then will not come
                self._left_out("response.create was for results that nobody asked for here.")
            case client_side.ResponseCreate(response=params):
                await self._client.create_response(params or None)
            case client_side.ResponseCancel():
                self._client.cancel()
            case client_side.ConversationItemTruncate():
                received = int(self._now.milliseconds[event.item_id])
                event.audio_end_ms = min(event.audio_end_ms, received)
                await self._client.send(event)
            case _:
                self._listened = self._listens(event)
                await self._client.send(event)

    def _listens(self, event: client_side.ClientEvent) -> bool:
        match event:
            case client_side.InputAudioBufferAppend():
                return True
            case client_side.InputAudioBufferCommit() | client_side.InputAudioBufferClear():
                return False
            case _:
                return self._listened

    def _named(self, event: dict[str, Any]) -> dict[str, Any] | None:
        """Put the ids of this session in the place of those of the recording; None where there is none."""
        named = dict(event)
        for key in ("item_id", "previous_item_id", "response_id"):
            if isinstance(event.get(key), str):
                named[key] = self._then.counterpart(self._now, event[key])
                if named[key] is None:
                    return None
        item = event.get("item")
        if isinstance(item, dict) and item.get("type") == "function_call_output":
            call_id = self._then.counterpart(self._now, str(item.get("call_id")))
            if call_id is None:
                return None
            named["item"] = {**item, "call_id": call_id}
        return named
