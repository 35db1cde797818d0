"""One exchange with an agent: what the chat log asks becomes words, calls of tools, and sound."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

from homeassistant.components import conversation
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import llm
from homeassistant.helpers.json import json_dumps

from .agent import Agent
from .approval import policy
from .compat import tool_data
from .const import ALWAYS, ASK, BY_MODEL, CONF_APPROVAL, CONF_FOLLOW_UP, DOMAIN, MAX_TOOL_ROUNDS
from .functions import Functions
from .live import Call, LiveSession, LiveTurn, Sound
from .vivavoce.client.tool import RESULT_CHARACTERS, read_object, shortened
from .vivavoce.errors import VivaVoceError

__all__ = ["END_CONVERSATION", "KEEP_LISTENING", "PAD", "Exchange", "prompt_of"]

PAD = " " * 61
"""Behind the first words of a spoken answer: more than 60 characters let a pipeline's speech begin at once, and make
it ask for the speech of this very answer, not for what its cache has for the same words. Taken out again."""

END_CONVERSATION = {
    "type": "function",
    "name": "end_conversation",
    "description": "End the conversation, so that nobody is listened to any more. Call it, and say goodbye, when the "
    "user thanks, says goodbye, or wants to be left alone.",
    "parameters": {"type": "object", "properties": {}},
}
"""A tool of agents that always listen again."""

KEEP_LISTENING = {
    "type": "function",
    "name": "keep_listening",
    "description": "Listen to the user again after this answer, without a wake word. Call it, together with what you "
    "say, when you need the user's reply; do not call it when you merely offer more help.",
    "parameters": {"type": "object", "properties": {}},
}
"""A tool of agents that listen again when the model wants to."""

TURN_TOOLS = {ALWAYS: END_CONVERSATION, BY_MODEL: KEEP_LISTENING}
"""What a spoken turn adds to the tools, by when a satellite listens again."""


class Exchange:
    """Answers the last words of a chat log; ``turn`` is where they were spoken, and are to be answered aloud."""

    def __init__(
        self, agent: Agent, session: LiveSession, chat_log: conversation.ChatLog, turn: LiveTurn | None = None
    ) -> None:
        self.told: set[str] = set()
        """Which of `TURN_TOOLS` the model has called."""
        self._agent = agent
        self._session = session
        self._chat_log = chat_log
        self._turn = turn
        self._aloud = turn is not None and turn.aloud
        self._spoke = False
        """Whether there were words in the last response."""
        self._functions = Functions(chat_log.llm_api)
        self._outside: list[Call] = []
        """Calls that are not Home Assistant's to make."""

    async def run(self, agent_id: str) -> None:
        """Answer into the chat log. Raises a translated `HomeAssistantError`."""
        log, began = self._chat_log, len(self._chat_log.content)
        policy.set(self._agent.options.get(CONF_APPROVAL, ASK))
        try:
            async with self._session.lock:
                fields = self._agent.session_fields()
                del fields["transcription"]  # which is for hearing, in the language of who was heard last
                instructions = self._session.instructions.of(
                    prompt_of(log)
                )  # the time in it `catch_up` tells
                usual = {"instructions": instructions, "tools": self._tools()}
                await self._session.configure(**fields, **usual)
                self._agent.usual = usual
                await self._session.catch_up(log.content, spoken=self._turn is not None)
                for _ in range(MAX_TOOL_ROUNDS):
                    results = [
                        content
                        async for content in log.async_add_delta_content_stream(agent_id, self._deltas())
                        if isinstance(content, conversation.ToolResultContent)
                    ]
                    for result in results:
                        await self._tell(result.tool_call_id, json_dumps(tool_data(result)))
                    for call in self._outside:
                        await self._tell(call.call_id, '{"status": "done"}')
                    silent = bool(self._outside) and not self._spoke
                    self._outside.clear()
                    if not results and not silent:
                        break
                else:
                    raise HomeAssistantError(translation_domain=DOMAIN, translation_key="too_many_calls")
        except asyncio.CancelledError:
            self._session.client.interrupt()
            raise
        except VivaVoceError as error:
            raise self._agent.failed(error) from error
        finally:
            if self._turn is not None:
                self._turn.say(None)
            self._unpad(began)
            self._session.answered(log.content)

    async def _tell(self, call_id: str, result: str) -> None:
        await self._session.tell_result(call_id, shortened(result, RESULT_CHARACTERS))

    async def _deltas(self) -> AsyncGenerator[conversation.AssistantContentDeltaDict]:
        yield {"role": "assistant"}
        padded = not self._aloud
        self._spoke = False
        async for piece in self._session.answer(aloud=self._aloud):
            match piece:
                case Sound(pcm=pcm) if self._turn is not None:
                    self._turn.say(pcm)
                case str():
                    yield {"content": piece if padded else piece + PAD}
                    padded = self._spoke = True
                case Call() if piece.name in (END_CONVERSATION["name"], KEEP_LISTENING["name"]):
                    self.told.add(piece.name)
                    self._outside.append(piece)
                case Call():
                    yield {"tool_calls": [self._tool_input(piece)]}

    def _tool_input(self, call: Call) -> llm.ToolInput:
        try:
            arguments = read_object(call.arguments)
        except ValueError:
            arguments = {"arguments": call.arguments}  # which fit no tool: the model is told
        return llm.ToolInput(
            id=call.call_id, tool_name=self._functions.name_of(call.name), tool_args=arguments
        )

    def _tools(self) -> list[dict[str, Any]]:
        tools = self._functions.described
        follow_up = self._agent.options.get(CONF_FOLLOW_UP)
        if self._turn is not None and follow_up in TURN_TOOLS:
            tools.append(TURN_TOOLS[follow_up])
        return tools

    def _unpad(self, began: int) -> None:
        content = self._chat_log.content
        for index in range(began, len(content)):
            said = content[index]
            if isinstance(said, conversation.AssistantContent) and said.content and PAD in said.content:
                object.__setattr__(said, "content", said.content.replace(PAD, ""))


def prompt_of(log: conversation.ChatLog) -> str:
    """Return the instructions that a chat log begins with."""
    content = log.content[0]
    return content.content if isinstance(content, conversation.SystemContent) else ""
