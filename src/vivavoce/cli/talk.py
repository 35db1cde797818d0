"""``vivavoce talk``: a conversation by ear, with the microphone and the speakers of this machine."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Annotated, Protocol

import typer
from rich.console import Console

from vivavoce.audio.devices import Microphone, Speaker
from vivavoce.audio.pcm import Samples, decode_pcm16, encode_pcm16, from_pcm16, to_pcm16
from vivavoce.cli.endpoint import DEFAULT_MODEL, open_transport
from vivavoce.cli.keys import presses
from vivavoce.cli.transcript import Transcript
from vivavoce.client.asking import configure, session_params
from vivavoce.client.connection import Connection
from vivavoce.client.conversation import Conversation
from vivavoce.client.interruption import Action, Clear, Play, Send, VoiceLoop
from vivavoce.errors import AudioDeviceError, ConnectionLost
from vivavoce.protocol.server_events import ErrorEvent
from vivavoce.protocol.session import PCM_RATE

__all__ = ["Ear", "Mouth", "converse", "talk"]

OUTBOX_LIMIT = 250
"""Events that wait for the endpoint: 10 s of sound. An endpoint that is further behind has gone away."""

_OTHER_WAYS = (
    "Without sound devices, ask with a file (vivavoce ask question.wav --out answer.wav), or talk in a browser: "
    "vivavoce serve, and open the page that it names."
)

_console = Console(highlight=False)


class Mouth(Protocol):
    """Something that plays."""

    @property
    def heard(self) -> int:
        """Samples at 24 kHz that were heard since it was last cleared."""
        ...

    def play(self, samples: Samples) -> None:
        """Play these after all others."""
        ...

    def clear(self) -> None:
        """Be silent."""
        ...


Ear = AsyncIterator[Samples]
"""Something that hears: frames at 24 kHz."""


def talk(
    *,
    push_to_talk: Annotated[
        bool,
        typer.Option("--push-to-talk", help="Listen only while the space bar is held, or between two taps."),
    ] = False,
    url: Annotated[
        str | None,
        typer.Option(
            help="Talk with the endpoint at this address, such as http://127.0.0.1:8000/v1; else the engine."
        ),
    ] = None,
    api_key: Annotated[
        str | None,
        typer.Option(envvar="OPENAI_API_KEY", show_envvar=True, help="The key for that endpoint."),
    ] = None,
    model: Annotated[str, typer.Option(help="The model to ask for.")] = DEFAULT_MODEL,
    voice: Annotated[str | None, typer.Option(help="The voice of the answers.")] = None,
    instructions: Annotated[str | None, typer.Option(help="What the model should be like.")] = None,
    engine_profile: Annotated[
        str, typer.Option(help="Models of the engine: default, compact or small.")
    ] = "default",
) -> None:
    """Talk with the engine of this machine, or with any endpoint, by microphone and speakers.

    Speak over an answer to stop it. Use headphones: speakers are heard by the microphone. Ctrl-C ends it.
    """

    async def run() -> None:
        try:  # before any model is loaded: who has no microphone need not wait
            microphone, speaker = Microphone(PCM_RATE), Speaker(PCM_RATE)
        except AudioDeviceError as error:
            raise AudioDeviceError(f"{error} {_OTHER_WAYS}") from error
        async with (
            open_transport(url, api_key=api_key, model=model, engine_profile=engine_profile) as transport,
            microphone,
            speaker,
            aclosing(presses() if push_to_talk else _never()) as keys,
        ):
            connection = Connection(transport)
            params = session_params(instructions=instructions, voice=voice, push_to_talk=push_to_talk)
            await configure(connection, params)
            loop = VoiceLoop(push_to_talk=push_to_talk)
            with Transcript(_console) as transcript:
                await converse(
                    connection, loop, ear=microphone, mouth=speaker, keys=keys, transcript=transcript
                )

    try:
        asyncio.run(run())
    except KeyboardInterrupt:
        _console.print("Good bye.")


async def _never() -> AsyncGenerator[bool, None]:
    """Yield no key."""
    await asyncio.get_running_loop().create_future()
    yield False


async def converse(
    connection: Connection,
    loop: VoiceLoop,
    *,
    ear: Ear,
    mouth: Mouth,
    keys: AsyncIterator[bool],
    transcript: Transcript,
) -> None:
    """Hold a conversation until the endpoint ends it. Raises `ConnectionLost` when that is not in a regular way.

    ``keys`` says True when the talk key goes down and False when it comes up.
    """
    await _Talk(connection, loop, mouth, transcript).hold(ear, keys)


class _Talk:
    """The shell around a `VoiceLoop`: it performs its actions, and decides nothing."""

    def __init__(self, connection: Connection, loop: VoiceLoop, mouth: Mouth, transcript: Transcript) -> None:
        self._connection = connection
        self._loop = loop
        self._mouth = mouth
        self._transcript = transcript
        self._conversation = Conversation()
        self._outbox: asyncio.Queue[Send] = asyncio.Queue(OUTBOX_LIMIT)

    async def hold(self, ear: Ear, keys: AsyncIterator[bool]) -> None:
        self._show()
        tasks = [
            asyncio.create_task(self._receive(), name="receive"),
            asyncio.create_task(self._send(), name="send"),
            asyncio.create_task(self._hear(ear), name="hear"),
            asyncio.create_task(self._press(keys), name="press"),
        ]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _receive(self) -> None:
        async for event in self._connection:
            self._perform(self._loop.take(event, self._mouth.heard))
            if isinstance(event, ErrorEvent):
                self._transcript.note(f"The endpoint says: {event.error.message}")
            item = self._conversation.fold(event)
            self._transcript.show(self._conversation, item, self._status)

    async def _hear(self, ear: Ear) -> None:
        async for frame in ear:
            self._perform(self._loop.hear(encode_pcm16(to_pcm16(frame))))

    async def _press(self, keys: AsyncIterator[bool]) -> None:
        async for down in keys:
            self._perform(self._loop.press(self._mouth.heard) if down else self._loop.release())
            self._show()

    async def _send(self) -> None:
        try:
            while True:
                await self._connection.send((await self._outbox.get()).event)
        except ConnectionLost:  # only who receives learns why the endpoint left
            await asyncio.get_running_loop().create_future()

    def _perform(self, actions: list[Action]) -> None:
        for action in actions:
            match action:
                case Send():
                    try:
                        self._outbox.put_nowait(action)
                    except asyncio.QueueFull:
                        raise ConnectionLost(1006, "it has stopped listening") from None
                case Play(pcm):
                    self._mouth.play(from_pcm16(decode_pcm16(pcm)))
                case Clear():
                    self._mouth.clear()

    def _show(self) -> None:
        self._transcript.show(self._conversation, None, self._status)

    @property
    def _status(self) -> str:
        if not self._loop.push_to_talk:
            return "Listening. Ctrl-C ends it."
        return (
            "Listening: release or tap space to send." if self._loop.talking else "Hold or tap space to talk."
        )
