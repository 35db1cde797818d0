"""The AI Task entity of an agent: it makes data, in writing."""

from homeassistant.components import ai_task, conversation
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import llm
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.json import json_dumps
from homeassistant.util.json import json_loads

from .agent import Agent, VivaVoceEntry
from .compat import schema_of
from .const import DOMAIN
from .entity import AgentEntity, add_agents
from .live import LiveSession
from .talking import Exchange
from .vivavoce.errors import VivaVoceError

PARALLEL_UPDATES = 0


async def async_setup_entry(
    hass: HomeAssistant,  # noqa: ARG001 - the interface
    entry: VivaVoceEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the AI Task entities."""
    add_agents(entry, async_add_entities, lambda agent: [AgentTask(agent)])


class AgentTask(AgentEntity, ai_task.AITaskEntity):
    """Makes data; each task is a session of its own."""

    _attr_supported_features = ai_task.AITaskEntityFeature.GENERATE_DATA
    _attr_translation_key = "task"

    def __init__(self, agent: Agent) -> None:
        super().__init__(agent, "task")

    async def _async_generate_data(
        self, task: ai_task.GenDataTask, chat_log: conversation.ChatLog
    ) -> ai_task.GenDataTaskResult:
        """Make data."""
        client = await self.agent.connected(self.agent.client())
        try:
            session = LiveSession(client)
            if task.structure is not None:
                schema = schema_of(task.structure, llm.selector_serializer)
                await session.tell_rules(
                    "Answer with one JSON object and nothing else, without any markup, that fits this JSON schema: "
                    f"{json_dumps(schema)}"
                )
            await Exchange(self.agent, session, chat_log).run(self.entity_id)
        except VivaVoceError as error:
            raise self.agent.failed(error) from error
        finally:
            await self.agent.end(client)
        last = chat_log.content[-1]
        text = (last.content or "") if isinstance(last, conversation.AssistantContent) else ""
        if task.structure is None:
            return ai_task.GenDataTaskResult(conversation_id=chat_log.conversation_id, data=text)
        try:
            data = task.structure(json_loads(_unfenced(text)))
        except Exception as error:
            raise HomeAssistantError(translation_domain=DOMAIN, translation_key="no_data") from error
        return ai_task.GenDataTaskResult(conversation_id=chat_log.conversation_id, data=data)


def _unfenced(text: str) -> str:
    """Return what is between the outer braces: models like to put a fence around JSON."""
    return text[text.find("{") : text.rfind("}") + 1]
