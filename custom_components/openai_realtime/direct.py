"""Talking with an agent by actions and its media player, beside all pipelines: a conversation for each user."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import nullcontext
from typing import Any

from homeassistant.components import conversation, media_player, tts
from homeassistant.const import ATTR_ENTITY_ID, SERVICE_MEDIA_STOP
from homeassistant.core import Context, HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import chat_session, intent
from homeassistant.helpers import entity_registry as er

from .agent import Agent
from .compat import chat_session_of
from .const import CONF_SPEAKER, DOMAIN
from .live import RATE, LiveTurn, NothingSaid, current_turn

__all__ = ["Direct"]

CLEAR_SECONDS = 5.0
"""For a turn to end that was interrupted."""
MOST_FRAMES = 3000
"""Pieces of audio that wait to be sent; a minute of them at 20 ms."""


class Direct:
    """What actions say to an agent, and what it answers: aloud, if it has a speaker, and in words in any case."""

    def __init__(self, hass: HomeAssistant, agent: Agent) -> None:
        self._conversations = f"{DOMAIN}-{agent.subentry.subentry_id}"
        """What the ids of its conversations begin with."""
        self._hass = hass
        self._agent = agent
        self._audio: asyncio.Queue[bytes | None] | None = None
        self._turn: asyncio.Task[dict[str, Any]] | None = None
        """The last that was begun with `start`."""
        self._untold = False
        """Whether nobody has been told yet what came of it."""
        self._plays: str | None = None
        """The speaker that was given an answer of ours."""

    @property
    def listening(self) -> bool:
        """Whether a turn was begun."""
        return self._audio is not None

    @property
    def busy(self) -> bool:
        """Whether a turn is heard or answered."""
        return self._turn is not None and not self._turn.done()

    @property
    def speaker(self) -> str | None:
        """What plays its answers: no player of an agent, which would have itself, or another agent's, play them."""
        speaker: str | None = self._agent.options.get(CONF_SPEAKER)
        entity = er.async_get(self._hass).async_get(speaker) if speaker else None
        return None if entity is not None and entity.platform == DOMAIN else speaker

    def conversation_id(self, context: Context) -> str:
        """Return the conversation of a user, or that of all automations: no other may go on with it."""
        return f"{self._conversations}-{context.user_id or 'home'}"

    def entity_id(self, domain: str) -> str:
        """Return the agent's entity of a platform; empty where there is none."""
        key = f"{self._agent.subentry.subentry_id}-{domain}"
        return er.async_get(self._hass).async_get_entity_id(domain, DOMAIN, key) or ""

    async def send_text(
        self, text: str, context: Context, conversation_id: str | None = None
    ) -> dict[str, Any]:
        """Say something in writing, and return the answer. Raises a translated `HomeAssistantError`."""
        return await self._converse(text, context, conversation_id or self.conversation_id(context))

    async def send_audio(self, pcm: bytes, context: Context) -> dict[str, Any]:
        """Say PCM16 at 24 kHz: a part of the turn that was begun, or a whole turn, whose answer is returned."""
        if self._audio is not None:
            if self._audio.qsize() >= MOST_FRAMES:
                raise HomeAssistantError(translation_domain=DOMAIN, translation_key="too_much_audio")
            self._audio.put_nowait(pcm)
            return {}

        async def whole() -> AsyncGenerator[bytes]:
            yield pcm

        return await self._speak(whole(), context)

    @callback
    def start(self, context: Context) -> None:
        """Begin a turn, which `send_audio` goes on with; nothing happens where one was begun."""
        if self._audio is not None:
            return
        audio = self._audio = asyncio.Queue()  # bounded by `send_audio`

        async def parts() -> AsyncGenerator[bytes]:
            while (part := await audio.get()) is not None:
                yield part

        async def turn() -> dict[str, Any]:
            try:
                return await self._speak(parts(), context)
            finally:
                if self._audio is audio:
                    self._audio = None
                    self._agent.activity.changed()

        self._turn = self._agent.entry.async_create_background_task(
            self._hass, turn(), "openai_realtime: a turn by actions"
        )
        self._turn.add_done_callback(_seen)
        self._untold = True
        self._agent.activity.changed()

    async def stop(self, *, cancel: bool = False) -> dict[str, Any]:
        """End the turn, and return its answer, or raise what went wrong, once.

        With ``cancel``, or where no turn is heard, all that is under way ends: also what the agent says to others, in
        pipelines. A turn that the endpoint has ended before is told of all the same.
        """
        audio, self._audio = self._audio, None
        turn, self._untold = self._turn if self._untold and not cancel else None, False
        if audio is not None and not cancel:
            audio.put_nowait(None)
        else:
            await self._silence()
        if turn is None:
            return {}
        await asyncio.wait([turn])
        return {} if turn.cancelled() else turn.result()

    async def _silence(self) -> None:
        if self._turn is not None and not self._turn.done():
            self._turn.cancel()
            await asyncio.wait([self._turn])
        self._agent.interrupt()
        plays, self._plays = self._plays, None
        if plays is not None:
            await self._hass.services.async_call(
                media_player.DOMAIN, SERVICE_MEDIA_STOP, {ATTR_ENTITY_ID: plays}
            )

    async def clear(self) -> None:
        """Forget what was said to the agent by anybody, in pipelines and cards too.

        A turn that goes on, such as one whose own tool asks for this, is forgotten when it ends.
        """
        await self.stop(cancel=True)
        self._conversations = f"{DOMAIN}-{self._agent.subentry.subentry_id}-{self._hass.loop.time():.3f}"
        entry = self._agent.entry
        forgetting = [
            entry.async_create_background_task(
                self._hass, self._forget(chat), "openai_realtime: forget a conversation"
            )
            for chat in self._agent.chats
        ]
        if forgetting:
            await asyncio.wait(forgetting, timeout=CLEAR_SECONDS)
        await entry.runtime_data.cards.close(self._agent)

    async def _forget(self, chat: chat_session.ChatSession) -> None:
        """Forget a conversation, as Home Assistant does by itself some minutes after the last words."""
        live = self._agent.sessions.get(chat.conversation_id)
        async with live.lock if live is not None else nullcontext():
            self._hass.data[chat_session.DATA_CHAT_SESSION].pop(chat.conversation_id, None)
            chat.async_cleanup()  # drops the session, and the log

    async def _speak(self, speech: AsyncGenerator[bytes], context: Context) -> dict[str, Any]:
        speaker = self.speaker
        with chat_session_of(self._hass, self.conversation_id(context), context) as chat:
            self._agent.until_cleanup(chat)
            session = await self._agent.session(chat.conversation_id)
            try:
                turn = await self._agent.hear(session, speech, rate=RATE, aloud=bool(speaker))
            except NothingSaid as error:
                raise ServiceValidationError(
                    translation_domain=DOMAIN, translation_key="nothing_heard"
                ) from error
            current_turn.set(turn)
            if speaker:
                self._agent.entry.async_create_background_task(
                    self._hass, self._play(turn, speaker, context), "openai_realtime: play an answer"
                )
            answer = await self._converse(turn.transcript, context, chat.conversation_id)
        return {"transcript": turn.transcript, **answer}

    async def _play(self, turn: LiveTurn, speaker: str, context: Context) -> None:
        """Let the speaker play the answer to a turn as it comes."""
        await turn.sounding.wait()
        if not turn.sounds:
            return
        stream = tts.async_create_stream(self._hass, self.entity_id("tts"))
        stream.async_set_message_stream(_no_text())  # the voice knows the turn, and has its speech
        self._plays = speaker
        await self._hass.services.async_call(
            media_player.DOMAIN,
            media_player.SERVICE_PLAY_MEDIA,
            {
                ATTR_ENTITY_ID: speaker,
                media_player.ATTR_MEDIA_CONTENT_ID: stream.media_source_id,
                media_player.ATTR_MEDIA_CONTENT_TYPE: "music",
                media_player.ATTR_MEDIA_ANNOUNCE: True,
            },
            context=context,
        )

    async def _converse(self, text: str, context: Context, conversation_id: str) -> dict[str, Any]:
        result = await conversation.async_converse(
            self._hass, text, conversation_id, context, agent_id=self.entity_id("conversation")
        )
        speech: Any = result.response.speech.get("plain", {}).get("speech", "")
        if result.response.response_type is intent.IntentResponseType.ERROR:
            raise HomeAssistantError(
                translation_domain=DOMAIN,
                translation_key="no_answer",
                translation_placeholders={"error": speech},
            )
        return {"response": speech, "conversation_id": result.conversation_id}


def _seen(turn: asyncio.Task[Any]) -> None:
    """Take note of an error, which is told to who stops the turn, if anybody does."""
    if not turn.cancelled():
        turn.exception()


async def _no_text() -> AsyncGenerator[str]:
    """Give a text without words."""
    yield ""
