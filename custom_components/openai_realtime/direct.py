"""Talking with an agent by actions and its media player, beside all pipelines: one conversation of its own."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

from homeassistant.components import conversation
from homeassistant.core import Context, HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import entity_registry as er

from .agent import Agent
from .compat import chat_session_of
from .const import DOMAIN
from .live import RATE, LiveTurn, NothingSaid, current_turn
from .vivavoce.errors import VivaVoceError

__all__ = ["Direct"]

MOST_FRAMES = 3000
"""Pieces of audio that wait to be sent; a minute of them at 20 ms."""


class Direct:
    """What actions say to an agent, and what it answers."""

    def __init__(self, hass: HomeAssistant, agent: Agent) -> None:
        self.conversation_id = f"{DOMAIN}-{agent.subentry.subentry_id}"
        self.answer: dict[str, Any] | None = None
        """The last answer to a turn that was begun with `start`."""
        self._hass = hass
        self._agent = agent
        self._audio: asyncio.Queue[bytes | None] | None = None
        self._turn: asyncio.Task[None] | None = None

    @property
    def listening(self) -> bool:
        """Whether a turn was begun."""
        return self._audio is not None

    @property
    def busy(self) -> bool:
        """Whether a turn is heard or answered."""
        return self._turn is not None and not self._turn.done()

    async def send_text(
        self, text: str, context: Context, conversation_id: str | None = None
    ) -> dict[str, Any]:
        """Say something in writing, and return the answer. Raises a translated `HomeAssistantError`."""
        return await self._converse(text, context, conversation_id or self.conversation_id)

    async def send_audio(self, pcm: bytes, context: Context) -> dict[str, Any]:
        """Say PCM16 at 24 kHz: a part of the turn that was begun, or a whole turn, whose answer is returned."""
        if self._audio is not None:
            try:
                self._audio.put_nowait(pcm)
            except asyncio.QueueFull as error:
                raise HomeAssistantError(
                    translation_domain=DOMAIN, translation_key="too_many_sessions"
                ) from error
            return {}

        async def whole() -> AsyncGenerator[bytes]:
            yield pcm

        return await self._speak(whole(), context)

    @callback
    def start(self, context: Context) -> None:
        """Begin a turn, which `send_audio` goes on with; nothing happens where one was begun."""
        if self._audio is not None:
            return
        audio = self._audio = asyncio.Queue(MOST_FRAMES)

        async def parts() -> AsyncGenerator[bytes]:
            while (part := await audio.get()) is not None:
                yield part

        async def turn() -> None:
            try:
                self.answer = await self._speak(parts(), context)
            except HomeAssistantError:
                self.answer = None  # what is wrong was told where it was found
            finally:
                if self._audio is audio:
                    self._audio = None

        self._turn = self._agent.entry.async_create_background_task(
            self._hass, turn(), "openai_realtime: a turn by actions"
        )

    async def stop(self, *, cancel: bool = False) -> None:
        """End the turn, which is answered then; or, with ``cancel`` or where none is heard, all that is under way."""
        audio, self._audio = self._audio, None
        if audio is not None and not cancel:
            audio.put_nowait(None)
        elif self._turn is not None and not self._turn.done():
            self._turn.cancel()
            await asyncio.gather(self._turn, return_exceptions=True)

    async def clear(self) -> None:
        """Forget what was said."""
        await self.stop(cancel=True)
        for conversation_id in self._agent.sessions:
            await self._agent.drop(conversation_id)
        self.conversation_id = f"{DOMAIN}-{self._agent.subentry.subentry_id}-{self._hass.loop.time():.3f}"

    async def _speak(self, speech: AsyncGenerator[bytes], context: Context) -> dict[str, Any]:
        with chat_session_of(self._hass, self.conversation_id, context) as chat:
            self._agent.until_cleanup(chat)
            session = await self._agent.session(chat.conversation_id)
            turn = await self._hear(session.hear(speech, rate=RATE))
            current_turn.set(turn)
            answer = await self._converse(turn.transcript, context, chat.conversation_id)
        return {"transcript": turn.transcript, **answer}

    async def _hear(self, hearing: Any) -> LiveTurn:
        try:
            turn: LiveTurn = await hearing
        except NothingSaid as error:
            raise ServiceValidationError(
                translation_domain=DOMAIN, translation_key="nothing_heard"
            ) from error
        except (VivaVoceError, TimeoutError) as error:
            raise self._agent.failed(error) from error
        return turn

    async def _converse(self, text: str, context: Context, conversation_id: str) -> dict[str, Any]:
        entity_id = er.async_get(self._hass).async_get_entity_id(
            "conversation", DOMAIN, f"{self._agent.subentry.subentry_id}-conversation"
        )
        result = await conversation.async_converse(
            self._hass, text, conversation_id, context, agent_id=entity_id
        )
        speech: Any = result.response.speech.get("plain", {}).get("speech", "")
        return {"response": speech, "conversation_id": result.conversation_id}
