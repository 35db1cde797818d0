"""What is said to an endpoint: speech as it comes, files, and the end of a turn."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from vivavoce.audio.wav import read_wav
from vivavoce.client.input_audio import FRAME_SECONDS, MIN_COMMIT_SECONDS, Audio, InputAudio, Pace
from vivavoce.errors import SpeechTooShort
from vivavoce.protocol.client_events import ClientEvent, InputAudioBufferClear, InputAudioBufferCommit

__all__ = ["Saying"]


class Saying:
    """Sends speech by ``send``, which waits while the line is slow, and so does all that is here."""

    def __init__(
        self, send: Callable[[ClientEvent], Awaitable[None]], audio: InputAudio | None = None
    ) -> None:
        self.audio = audio or InputAudio()
        """To be told all events of the session, and all that are sent."""
        self._send = send
        self._pace = Pace()

    async def say(self, audio: Audio, rate: int, *, channels: int = 1, paced: bool = False) -> None:
        """Send audio; ``paced``, each frame when it would have been spoken. Raises `AudioError` for what is none."""
        for frame in self.audio.frames(audio, rate, channels):
            if paced:
                await asyncio.sleep(self._pace.wait(asyncio.get_running_loop().time(), FRAME_SECONDS))
            await self._send(frame)

    async def say_file(self, source: str | Path | bytes, *, paced: bool = False) -> None:
        """Send a whole sound file. Raises `AudioFileError` for what is none."""
        samples, rate = await asyncio.to_thread(read_wav, source)
        await self.say(samples, rate, paced=paced)
        await self._flush()

    async def commit(self) -> None:
        """End the turn; raises `SpeechTooShort`, and forgets what was said, where that is too little for a turn."""
        await self._flush()
        seconds = self.audio.seconds
        if self.audio.too_short:
            await self._send(InputAudioBufferClear())
            raise SpeechTooShort(seconds, MIN_COMMIT_SECONDS)
        await self._send(InputAudioBufferCommit())

    async def _flush(self) -> None:
        for frame in self.audio.flush():
            await self._send(frame)
