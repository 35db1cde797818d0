"""The media player of an agent: play begins to listen, stop ends everything; a speaker plays what it is given."""

from typing import Any

from homeassistant.components import media_source
from homeassistant.components.media_player import (
    ATTR_MEDIA_ANNOUNCE,
    ATTR_MEDIA_CONTENT_ID,
    ATTR_MEDIA_CONTENT_TYPE,
    BrowseMedia,
    MediaPlayerEntity,
    MediaPlayerEntityFeature,
    MediaPlayerState,
    MediaType,
)
from homeassistant.components.media_player import DOMAIN as MEDIA_PLAYER
from homeassistant.const import ATTR_ENTITY_ID
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .agent import Agent, VivaVoceEntry
from .const import DOMAIN
from .direct import Direct
from .entity import AgentEntity

PARALLEL_UPDATES = 0


async def async_setup_entry(
    hass: HomeAssistant,  # noqa: ARG001 - the interface
    entry: VivaVoceEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the media players."""
    runtime = entry.runtime_data
    for subentry_id, agent in runtime.agents.items():
        async_add_entities([AgentPlayer(agent, runtime.directs[subentry_id])], config_subentry_id=subentry_id)


class AgentPlayer(AgentEntity, MediaPlayerEntity):
    """Listens to what ``send_audio`` brings, and lets a speaker play what it is given."""

    _attr_translation_key = "player"
    _attr_supported_features = (
        MediaPlayerEntityFeature.PLAY
        | MediaPlayerEntityFeature.STOP
        | MediaPlayerEntityFeature.PLAY_MEDIA
        | MediaPlayerEntityFeature.MEDIA_ANNOUNCE
        | MediaPlayerEntityFeature.BROWSE_MEDIA
    )

    def __init__(self, agent: Agent, direct: Direct) -> None:
        super().__init__(agent, "player")
        self._direct = direct

    @property
    def state(self) -> MediaPlayerState:
        """Playing while somebody is heard or answered."""
        activity = self.agent.activity
        if self._direct.listening or activity.listening or activity.speaking:
            return MediaPlayerState.PLAYING
        return MediaPlayerState.BUFFERING if activity.processing else MediaPlayerState.IDLE

    async def async_media_play(self) -> None:
        """Begin to listen."""
        self._direct.start(self._context or Context())
        self.async_write_ha_state()

    async def async_media_stop(self) -> None:
        """Stop listening, and cancel what is being answered."""
        await self._direct.stop(cancel=True)
        self.async_write_ha_state()

    async def async_play_media(
        self,
        media_type: MediaType | str,
        media_id: str,
        announce: bool | None = None,  # noqa: FBT001 - the interface
        **kwargs: Any,  # noqa: ARG002
    ) -> None:
        """Let the agent's speaker play something."""
        if (speaker := self._direct.speaker) is None:
            raise ServiceValidationError(translation_domain=DOMAIN, translation_key="no_speaker")
        await self.hass.services.async_call(
            MEDIA_PLAYER,
            "play_media",
            {
                ATTR_ENTITY_ID: speaker,
                ATTR_MEDIA_CONTENT_ID: media_id,
                ATTR_MEDIA_CONTENT_TYPE: media_type,
                ATTR_MEDIA_ANNOUNCE: bool(announce),
            },
            blocking=True,
            context=self._context,
        )

    async def async_browse_media(
        self,
        media_content_type: MediaType | str | None = None,  # noqa: ARG002 - the interface
        media_content_id: str | None = None,
    ) -> BrowseMedia:
        """Offer what sounds."""
        return await media_source.async_browse_media(
            self.hass,
            media_content_id,
            content_filter=lambda item: item.media_content_type.startswith("audio/"),
        )
