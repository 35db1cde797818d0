"""A microphone that is connected to a session: hands-free, or while a key is held."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from types import TracebackType
from typing import Protocol, Self

from vivavoce.audio.pcm import Samples
from vivavoce.client.input_audio import Audio
from vivavoce.client.reply import Reply
from vivavoce.errors import ConnectionLost, SpeechTooShort

__all__ = ["Ear", "Listener", "OpenMicrophone"]

Ear = AsyncIterator[Samples]
"""Something that hears, such as `vivavoce.audio.devices.Microphone`: frames of samples at one rate."""


class Listener(Protocol):
    """What a microphone speaks to: a client."""

    async def send_audio(self, audio: Audio, rate: int = ...) -> None:
        """Send speech."""
        ...

    async def commit(self) -> Reply:
        """End a turn, and ask for the answer."""
        ...

    def interrupt(self) -> None:
        """Silence the answer."""
        ...


class OpenMicrophone:
    """Sends what ``ear`` hears, as long as ``async with`` lasts. The ear is opened and closed too, if it can be.

    Hands-free, everything is sent, and the endpoint decides on turns. For push-to-talk, turn its turn detection off:
    then only what is said between `press` and `release` is sent.
    """

    def __init__(self, listener: Listener, ear: Ear, rate: int, *, push_to_talk: bool = False) -> None:
        self.listening = not push_to_talk
        """Whether what is heard is sent."""
        self._push_to_talk = push_to_talk
        self._listener = listener
        self._ear = ear
        self._rate = rate
        self._open = AsyncExitStack()
        self._pump: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        if isinstance(self._ear, AbstractAsyncContextManager):
            await self._open.enter_async_context(self._ear)
        self._pump = asyncio.create_task(self._send(), name="microphone")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        async with self._open:
            if self._pump is not None:
                self._pump.cancel()
                (ended,) = await asyncio.gather(self._pump, return_exceptions=True)
                if error is None and isinstance(ended, Exception):
                    raise ended

    def press(self) -> None:
        """Begin to talk: the answer that is being given falls silent."""
        if self._push_to_talk and not self.listening:
            self.listening = True
            self._listener.interrupt()

    async def release(self) -> Reply | None:
        """End what is being said, and ask for the answer; None, and nothing is asked, where it was too short to be."""
        if not (self._push_to_talk and self.listening):
            return None
        self.listening = False
        try:
            return await self._listener.commit()
        except SpeechTooShort:
            return None

    async def _send(self) -> None:
        try:
            async for heard in self._ear:
                if self.listening:
                    await self._listener.send_audio(heard, self._rate)
        except ConnectionLost:
            pass  # who reads the events is told
