"""Home Assistant's tools as functions of the protocol."""

import re
from collections.abc import Awaitable, Callable, Container
from typing import Any

from homeassistant.components import conversation
from homeassistant.components.conversation.chat_log import current_chat_log
from homeassistant.helpers import llm
from homeassistant.helpers.json import json_dumps

from .approval import policy
from .compat import answer_data, native_schema, schema_of
from .const import LOGGER
from .vivavoce.client.tool import Tool, ToolContext

__all__ = ["Functions"]

Call = Callable[[dict[str, Any], ToolContext], Awaitable[str]]

MOST_CHARACTERS = 64
_NOT_IN_NAME = re.compile(r"[^a-zA-Z0-9_-]")


def _allowed(name: str) -> str:
    """Return a name of such characters, and no more of them, as the protocol allows."""
    return _NOT_IN_NAME.sub("_", name)[:MOST_CHARACTERS]


def _free(name: str, taken: Container[str]) -> str:
    """Return a name that is not taken: this one, or with a number behind it."""
    free, number = name, 1
    while free in taken:
        number += 1
        free = f"{name[: MOST_CHARACTERS - len(f'_{number}')]}_{number}"
    return free


class Functions:
    """The tools of an API; the protocol allows fewer names than Home Assistant does."""

    def __init__(self, api: llm.APIInstance | None) -> None:
        self._api = api
        self._tools: dict[str, llm.Tool] = {}
        # First those that keep their names.
        for tool in sorted(api.tools if api else (), key=lambda tool: _allowed(tool.name) != tool.name):
            self._tools[_free(_allowed(tool.name), self._tools)] = tool

    def name_of(self, called: str) -> str:
        """Return what Home Assistant calls the tool that the model knows by another name."""
        tool = self._tools.get(called)
        return tool.name if tool else called

    @property
    def described(self) -> list[dict[str, Any]]:
        """The ``tools`` of a session."""
        return [
            {
                "type": "function",
                "name": name,
                "description": tool.description or "",
                "parameters": self._parameters(tool),
            }
            for name, tool in self._tools.items()
        ]

    def live(self, chat_log: conversation.ChatLog, approval: str) -> list[Tool]:
        """Return tools for a client that calls them by itself, in a conversation, with such a policy of approval."""
        if self._api is None:
            return []
        return [
            Tool(
                name=name,
                description=tool.description or "",
                parameters=self._parameters(tool),
                call=self._call(self._api, tool, chat_log, approval),
            )
            for name, tool in self._tools.items()
        ]

    def _parameters(self, tool: llm.Tool) -> dict[str, Any]:
        return native_schema(tool) or schema_of(
            tool.parameters, self._api.custom_serializer if self._api else None
        )

    @staticmethod
    def _call(api: llm.APIInstance, tool: llm.Tool, chat_log: conversation.ChatLog, approval: str) -> Call:
        async def call(arguments: dict[str, Any], _: ToolContext) -> str:
            LOGGER.debug("Function call received: %s", tool.name)
            policy.set(approval)
            current_chat_log.set(chat_log)
            try:
                answer = await api.async_call_tool(llm.ToolInput(tool_name=tool.name, tool_args=arguments))
            finally:
                LOGGER.debug("Function result sent to OpenAI")  # what went wrong is told too
            return json_dumps(answer_data(answer))

        return call
