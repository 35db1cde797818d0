"""The ears of an agent."""

from collections.abc import AsyncIterable
from typing import Any

from homeassistant.components import stt
from homeassistant.components.assist_pipeline import Pipeline, async_get_pipelines
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import chat_session
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .agent import Agent, VivaVoceEntry
from .const import BY_HOME_ASSISTANT, CONF_TURN_DETECTION, DOMAIN, LOGGER
from .entity import AgentEntity, add_agents
from .languages import LANGUAGES
from .live import LiveSession, LiveTurn, NothingSaid, current_turn

PARALLEL_UPDATES = 0


async def async_setup_entry(
    hass: HomeAssistant,  # noqa: ARG001 - the interface
    entry: VivaVoceEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the speech-to-text entities."""
    add_agents(entry, async_add_entities, lambda agent: [AgentEars(agent)])


class AgentEars(AgentEntity, stt.SpeechToTextEntity):
    """Hears for a pipeline.

    Where the same pipeline's conversation agent is this agent, speech goes into the session that answers it; the
    text is its transcript. Otherwise it is only written down.
    """

    _attr_translation_key = "ears"

    def __init__(self, agent: Agent) -> None:
        super().__init__(agent, "stt")

    @property
    def supported_languages(self) -> list[str]:
        """Languages that the models were trained on."""
        return LANGUAGES

    @property
    def supported_formats(self) -> list[stt.AudioFormats]:
        """Raw samples, whatever the pipeline calls them."""
        return [stt.AudioFormats.WAV]

    @property
    def supported_codecs(self) -> list[stt.AudioCodecs]:
        """PCM."""
        return [stt.AudioCodecs.PCM]

    @property
    def supported_bit_rates(self) -> list[stt.AudioBitRates]:
        """16 bit."""
        return [stt.AudioBitRates.BITRATE_16]

    @property
    def supported_sample_rates(self) -> list[stt.AudioSampleRates]:
        """What pipelines carry, and what the protocol does."""
        return [stt.AudioSampleRates.SAMPLERATE_16000]

    @property
    def supported_channels(self) -> list[stt.AudioChannels]:
        """One."""
        return [stt.AudioChannels.CHANNEL_MONO]

    @property
    def audio_processing(self) -> Any:
        """Whether Home Assistant is to find the end of speech (since 2026.5)."""
        from homeassistant.components.stt.models import SpeechAudioProcessing  # noqa: PLC0415

        return SpeechAudioProcessing(
            requires_external_vad=self.agent.options.get(CONF_TURN_DETECTION, BY_HOME_ASSISTANT)
            == BY_HOME_ASSISTANT,
            prefers_auto_gain_enabled=True,
            prefers_noise_reduction_enabled=True,
        )

    async def async_process_audio_stream(
        self, metadata: stt.SpeechMetadata, stream: AsyncIterable[bytes]
    ) -> stt.SpeechResult:
        """Hear one turn."""
        current_turn.set(None)
        chat = chat_session.current_session.get()
        try:
            if chat is not None and (pipelines := self._pipelines()):
                aloud = any(pipeline.tts_engine == self._entity("tts") for pipeline in pipelines)
                text = await self._hear_live(chat, metadata, stream, aloud=aloud)
            else:
                text = await self._write_down(metadata, stream)
        except NothingSaid:
            return stt.SpeechResult("", stt.SpeechResultState.SUCCESS)
        except HomeAssistantError as error:
            LOGGER.debug("Nothing was heard: %s", error)
            return stt.SpeechResult(None, stt.SpeechResultState.ERROR)
        return stt.SpeechResult(text, stt.SpeechResultState.SUCCESS)

    async def _hear_live(
        self,
        chat: chat_session.ChatSession,
        metadata: stt.SpeechMetadata,
        stream: AsyncIterable[bytes],
        *,
        aloud: bool,
    ) -> str:
        self.agent.until_cleanup(chat)
        session = await self.agent.session(chat.conversation_id)
        if session.turn is not None:
            await session.turn.abandon()
        turn = await self._hear(session, metadata, stream, aloud=aloud)
        current_turn.set(turn)
        return turn.transcript

    async def _write_down(self, metadata: stt.SpeechMetadata, stream: AsyncIterable[bytes]) -> str:
        client = await self.agent.connected(self.agent.client())
        try:
            return (await self._hear(LiveSession(client), metadata, stream)).transcript
        finally:
            await self.agent.end(client)

    async def _hear(
        self,
        session: LiveSession,
        metadata: stt.SpeechMetadata,
        stream: AsyncIterable[bytes],
        *,
        aloud: bool = False,
    ) -> LiveTurn:
        return await self.agent.hear(
            session, stream, rate=int(metadata.sample_rate), language=metadata.language, aloud=aloud
        )

    def _pipelines(self) -> list[Pipeline]:
        """Return the pipelines that have this agent's ears and its conversation entity; their voice may be another."""
        return [
            pipeline
            for pipeline in async_get_pipelines(self.hass)
            if pipeline.stt_engine == self.entity_id
            and pipeline.conversation_engine == self._entity("conversation")
        ]

    def _entity(self, domain: str) -> str | None:
        key = f"{self.agent.subentry.subentry_id}-{domain}"
        return er.async_get(self.hass).async_get_entity_id(domain, DOMAIN, key)
