"""The conversation entity of an agent."""

from functools import partial
from typing import Literal

from homeassistant.components import conversation
from homeassistant.const import CONF_PROMPT, MATCH_ALL
from homeassistant.core import HomeAssistant
from homeassistant.helpers import chat_session
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .agent import Agent, VivaVoceEntry
from .const import ALWAYS, BY_MODEL, CONF_FOLLOW_UP, DOMAIN, NEVER, ON_QUESTION
from .entity import AgentEntity, add_agents
from .instructions import Instructions
from .live import current_turn
from .talking import END_CONVERSATION, KEEP_LISTENING, Exchange

PARALLEL_UPDATES = 0


async def async_setup_entry(
    hass: HomeAssistant,  # noqa: ARG001 - the interface
    entry: VivaVoceEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the conversation entities."""
    add_agents(entry, async_add_entities, lambda agent: [AgentConversation(agent)])


class AgentConversation(AgentEntity, conversation.ConversationEntity):
    """Answers what is written, and what the agent's own ears have heard."""

    _attr_name = None
    _attr_supports_streaming = True
    _attr_translation_key = "agent"

    def __init__(self, agent: Agent) -> None:
        super().__init__(agent, "conversation")
        self._instructions: dict[str, Instructions] = {}
        if agent.tools():
            self._attr_supported_features = conversation.ConversationEntityFeature.CONTROL

    @property
    def supported_languages(self) -> list[str] | Literal["*"]:
        """Every language: the model decides."""
        return MATCH_ALL

    async def _async_handle_message(
        self, user_input: conversation.ConversationInput, chat_log: conversation.ChatLog
    ) -> conversation.ConversationResult:
        """Answer a message."""
        options = self.agent.options
        try:
            await chat_log.async_provide_llm_data(
                user_input.as_llm_context(DOMAIN),
                self.agent.tools() or None,
                options.get(CONF_PROMPT),
                user_input.extra_system_prompt,
            )
        except conversation.ConverseError as error:
            return error.as_conversation_result()
        turn = current_turn.get()
        live = self.agent.sessions.get(chat_log.conversation_id)
        if turn is not None and (turn.session is not live or live.turn is not turn or turn.taken):
            turn = None
        if turn is not None:
            turn.taken = True
        elif live is not None and live.turn is not None:
            await live.turn.abandon()
        if (ours := chat_session.current_session.get()) is not None:
            self.agent.until_cleanup(ours)
        session = await self.agent.session(chat_log.conversation_id)
        if ours is not None:
            session.instructions = self._instructions_of(ours)
        exchange = Exchange(self.agent, session, chat_log, turn)
        await exchange.run(self.entity_id)
        result = conversation.async_get_result_from_chat_log(user_input, chat_log)
        follow_up = options.get(CONF_FOLLOW_UP, ON_QUESTION)
        if follow_up == NEVER or END_CONVERSATION["name"] in exchange.told:
            result.continue_conversation = False
        elif follow_up == ALWAYS:
            result.continue_conversation = True
        elif follow_up == BY_MODEL:
            result.continue_conversation = KEEP_LISTENING["name"] in exchange.told
        return result

    def _instructions_of(self, session: chat_session.ChatSession) -> Instructions:
        """Return the instructions of a conversation, which outlive its sessions with the endpoint."""
        key = session.conversation_id
        if key not in self._instructions:
            self._instructions[key] = Instructions()
            session.async_on_cleanup(partial(self._instructions.__delitem__, key))
        return self._instructions[key]
