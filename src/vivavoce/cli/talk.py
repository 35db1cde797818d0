"""``vivavoce talk``: a conversation by ear, with the microphone and the speakers of this machine."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Annotated

import typer
from rich.console import Console

from vivavoce.audio.devices import Microphone, Speaker
from vivavoce.cli.endpoint import DEFAULT_MODEL, open_endpoint, recording
from vivavoce.cli.keys import presses
from vivavoce.cli.options import (
    ApiKey,
    EngineProfile,
    Instructions,
    Model,
    Record,
    Url,
    Voice,
    session_fields,
)
from vivavoce.cli.transcript import Transcript
from vivavoce.client.microphone import Ear
from vivavoce.client.notices import ConnectionInterrupted, StateRestored
from vivavoce.client.realtime import RealtimeClient
from vivavoce.errors import AudioDeviceError, ConnectionLost
from vivavoce.protocol.server_events import ErrorEvent
from vivavoce.protocol.session import PCM_RATE

__all__ = ["converse", "talk"]

_OTHER_WAYS = (
    "Without sound devices, ask with a file (vivavoce ask question.wav --out answer.wav), or talk in a browser: "
    "vivavoce serve, and open the page that it names."
)

_console = Console(highlight=False)


def talk(
    *,
    push_to_talk: Annotated[
        bool,
        typer.Option("--push-to-talk", help="Listen only while the space bar is held, or between two taps."),
    ] = False,
    url: Url = None,
    api_key: ApiKey = None,
    model: Model = DEFAULT_MODEL,
    voice: Voice = None,
    instructions: Instructions = None,
    engine_profile: EngineProfile = "default",
    record: Record = None,
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
            open_endpoint(url, api_key=api_key, model=model, engine_profile=engine_profile) as connect,
            speaker,
            aclosing(presses() if push_to_talk else _never()) as keys,
        ):
            with recording(record, url, model) as recorder:
                async with RealtimeClient(transport=connect, speaker=speaker, recorder=recorder) as client:
                    fields = session_fields(instructions=instructions, voice=voice, push_to_talk=push_to_talk)
                    await client.update_session(**fields)
                    with Transcript(_console) as transcript:
                        await converse(
                            client,
                            ear=microphone,
                            keys=keys,
                            transcript=transcript,
                            push_to_talk=push_to_talk,
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
    client: RealtimeClient,
    *,
    ear: Ear,
    keys: AsyncIterator[bool],
    transcript: Transcript,
    push_to_talk: bool = False,
) -> None:
    """Hold a conversation until the endpoint ends it. Raises `ConnectionLost` when that is not in a regular way.

    ``keys`` says True when the talk key goes down and False when it comes up.
    """
    await _Talk(client, ear, transcript, push_to_talk=push_to_talk).hold(keys)


class _Talk:
    """The microphone, the talk key and the screen, around a client."""

    def __init__(
        self, client: RealtimeClient, ear: Ear, transcript: Transcript, *, push_to_talk: bool
    ) -> None:
        self._client = client
        self._microphone = client.microphone(ear, PCM_RATE, push_to_talk=push_to_talk)
        self._transcript = transcript
        self._push_to_talk = push_to_talk

    async def hold(self, keys: AsyncIterator[bool]) -> None:
        self._show()
        forget = self._client.on("response.created", self._answering)
        tasks = [
            asyncio.create_task(self._receive(), name="receive"),
            asyncio.create_task(self._press(keys), name="press"),
        ]
        try:
            async with self._microphone:
                done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            forget()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _receive(self) -> None:
        async for event in self._client:
            match event:
                case ErrorEvent(error=wrong):
                    self._transcript.note(f"The endpoint says: {wrong.message}")
                case ConnectionInterrupted():
                    self._transcript.note("The connection is lost; trying again.")
                case StateRestored(lost=lost):
                    self._transcript.note(
                        " ".join(["The conversation goes on.", *(loss.what for loss in lost)])
                    )
            self._show(getattr(event, "item_id", ""))

    def _answering(self, _: object) -> None:
        if self._push_to_talk and self._microphone.listening:  # the key went down before it began
            self._client.interrupt()

    async def _press(self, keys: AsyncIterator[bool]) -> None:
        try:
            async for down in keys:
                if down:
                    self._microphone.press()
                else:
                    await self._microphone.release()
                self._show()
        except ConnectionLost:  # only who receives learns why
            await asyncio.get_running_loop().create_future()

    def _show(self, item_id: str = "") -> None:
        conversation = self._client.conversation
        self._transcript.show(conversation, conversation.find(item_id), self._status)

    @property
    def _status(self) -> str:
        if not self._push_to_talk:
            return "Listening. Ctrl-C ends it."
        return (
            "Listening: release or tap space to send."
            if self._microphone.listening
            else "Hold or tap space to talk."
        )
