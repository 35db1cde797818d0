"""Wyoming servers on loopback, made from the classes of the ``wyoming`` package: the other side of our client."""

import asyncio
import warnings
from contextlib import asynccontextmanager
from functools import partial

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # it uses audioop where that is still there
    from wyoming.asr import Transcribe, Transcript, TranscriptChunk, TranscriptStart, TranscriptStop
    from wyoming.audio import AudioChunk, AudioStart, AudioStop
    from wyoming.error import Error
    from wyoming.info import AsrModel, AsrProgram, Attribution, Describe, Info, TtsProgram, TtsVoice
    from wyoming.server import AsyncEventHandler, AsyncTcpServer
    from wyoming.tts import Synthesize

WHO = {
    "attribution": Attribution("nobody", "https://example.org"),
    "installed": True,
    "description": "",
    "version": "1",
}
HEARS = Info(asr=[AsrProgram("whisper", models=[AsrModel("base", languages=["en"], **WHO)], **WHO)])


def speaks(*voices):
    """Return what a server says of itself that has these voices."""
    made = [TtsVoice(name, languages=["en"], speakers=None, **WHO) for name in voices]
    return Info(tts=[TtsProgram("piper", voices=made, **WHO)])


PIPER = speaks("en_US-lessac-medium", "de_DE-thorsten-medium")


class Ear:
    """Understands the same, or fails, whatever it hears."""

    def __init__(self, answer="Good morning."):
        self.answer = answer
        self.heard = []

    async def __call__(self, audio, rate, asked):
        self.heard.append((audio, rate, asked))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def mouth(*chunks, then=None, fail=None):
    """Return what says these chunks; it may wait for an event, or fail."""
    asked = []

    async def say(request):
        asked.append(request)
        for chunk in chunks:
            yield chunk
        if fail is not None:
            raise ValueError(fail)
        if then is not None:
            await then.wait()

    say.asked = asked
    return say


class WyomingDouble:
    """A server that says ``info`` of itself.

    ``hear`` gets the utterance (bytes, rate) and the request, and returns the text; ``say`` gets the request, and
    returns chunks of sound as (bytes, rate, width, channels). Both are coroutines.
    """

    def __init__(self, info, *, hear=None, say=None, in_pieces=False):
        self.info = info
        self.hear = hear
        self.say = say
        self.in_pieces = in_pieces
        self.port = 0
        self.connections = 0
        self.left = asyncio.Event()
        """Set when a client went away."""

    @asynccontextmanager
    async def serve(self):
        server = AsyncTcpServer("127.0.0.1", 0)
        await server.start(partial(_Handler, self))
        self.port = server._server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server._server.close()
            await server.stop()


class _Handler(AsyncEventHandler):
    def __init__(self, double, reader, writer):
        super().__init__(reader, writer)
        self.double = double
        self.asked = None
        self.heard = b""
        self.working = None
        double.connections += 1

    async def handle_event(self, event):
        if Describe.is_type(event.type):
            await self.write_event(self.double.info.event())
        elif Transcribe.is_type(event.type):
            self.asked = Transcribe.from_event(event)
        elif AudioStart.is_type(event.type):
            self.form = AudioStart.from_event(event)
        elif AudioChunk.is_type(event.type):
            self.heard += AudioChunk.from_event(event).audio
        elif AudioStop.is_type(event.type):
            await self._transcript()
        elif Synthesize.is_type(event.type):
            # In a task of its own, so that it is noticed when the client goes away.
            self.working = asyncio.create_task(self._speech(Synthesize.from_event(event)))
        return True

    async def disconnect(self):
        if self.working is not None:
            self.working.cancel()
        self.double.left.set()

    async def _transcript(self):
        try:
            text = await self.double.hear(self.heard, self.form.rate, self.asked)
        except ValueError as error:
            await self.write_event(Error(str(error), "bad").event())
            return
        if self.double.in_pieces:
            await self.write_event(TranscriptStart(language="en").event())
            for word in text.split():
                await self.write_event(TranscriptChunk(word).event())
        await self.write_event(Transcript(text, language="en").event())
        if self.double.in_pieces:
            await self.write_event(TranscriptStop().event())

    async def _speech(self, asked):
        started = False
        try:
            async for audio, rate, width, channels in self.double.say(asked):
                if not started:
                    await self.write_event(AudioStart(rate, width, channels).event())
                    started = True
                await self.write_event(AudioChunk(rate, width, channels, audio).event())
        except ValueError as error:
            await self.write_event(Error(str(error)).event())
            return
        await self.write_event(AudioStop().event())
