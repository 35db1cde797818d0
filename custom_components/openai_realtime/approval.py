"""Calls that the user has to allow first.

There is no button in a conversation, so the model asks, and the call is made when it comes again, just the same, after
the user's next words. A model that does not ask gets nowhere: it cannot speak for the user.
"""

from contextvars import ContextVar
from typing import Any

from homeassistant.components import conversation
from homeassistant.components.conversation.chat_log import current_chat_log
from homeassistant.helpers.json import json_dumps
from homeassistant.util.json import JsonObjectType

from .compat import ToolAnswer, tool_answer
from .const import ALLOW, ASK, REFUSE

__all__ = ["Approvals", "policy"]

policy: ContextVar[str] = ContextVar("openai_realtime_approval", default=ASK)
"""What the agent at hand does with risky calls; others than ours are asked."""

MOST_WAITING = 100


class Approvals:
    """Remembers what was asked for, until the user's next words."""

    def __init__(self) -> None:
        self._asked: dict[tuple[str, str], int] = {}

    def check(self, what: str, arguments: dict[str, Any]) -> ToolAnswer | None:
        """Return None where a call may be made now, and otherwise what the model is told instead of a result."""
        verdict = policy.get()
        if verdict == ALLOW:
            return None
        log = current_chat_log.get()
        if verdict == REFUSE or log is None:
            return tool_answer({"error": f"{what} is not allowed to assistants here."}, error=True)
        key = (log.conversation_id, json_dumps([what, arguments]))
        turns = sum(isinstance(content, conversation.UserContent) for content in log.content)
        if self._asked.pop(key, turns) == turns - 1:
            return None
        while len(self._asked) >= MOST_WAITING:
            del self._asked[next(iter(self._asked))]
        self._asked[key] = turns
        # Small models read this aloud rather than follow it: so what is to be said stands there as it is to be said.
        told: JsonObjectType = {
            "status": "not done: the user must say yes first",
            "say": "Shall I really do that?",
            "after_yes": "make exactly the same call again",
        }
        return tool_answer(told)
