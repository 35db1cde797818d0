"""From a conversation to a prompt. Pure.

A language model that keeps what it computed for the beginning of a prompt only reads what is new, so the
beginning must stay the same from turn to turn: instructions first, then the items in order. When the prompt
grows too long, a good part of the oldest items goes at once, so that the beginning changes seldom.
"""

from vivavoce.engine.models.protocols import Call, Message, Prompt
from vivavoce.engine.session.conversation import Conversation, Entry

__all__ = ["CHARS_PER_TOKEN", "KEPT_SHARE", "Prompting"]

CHARS_PER_TOKEN = 3
"""Characters of English to a token, at the least; about four on average, so the estimate is on the safe side."""

KEPT_SHARE = 0.6
"""How much of the budget is left after the oldest items went."""

UNINTELLIGIBLE = "(something that could not be understood)"


class Prompting:
    """Makes the prompts of one conversation."""

    def __init__(self, budget_tokens: int) -> None:
        self._budget = budget_tokens * CHARS_PER_TOKEN
        self._dropped: set[str] = set()

    def prompt(self, instructions: str, conversation: Conversation, said: str | None = None) -> Prompt:
        """Make a prompt; ``said`` is what the user may just have said, not an item yet."""
        instructions = instructions[: self._budget // 2]
        kept = [(entry, message) for entry in conversation if (message := _message(entry)) is not None]
        self._dropped &= {entry.id for entry, _ in kept}
        kept = [(entry, message) for entry, message in kept if entry.id not in self._dropped]
        room = self._budget - len(instructions) - len(said or "")
        length = sum(_length(message) for _, message in kept)
        if length > room:
            while len(kept) > 1 and length > room * KEPT_SHARE:
                entry, message = kept.pop(0)
                self._dropped.add(entry.id)
                length -= _length(message)
        messages = [Message("system", instructions), *(message for _, message in kept)]
        if kept and length > room:  # a single item that is too long by itself: its end matters most
            messages[-1] = Message(messages[-1].role, messages[-1].text[-room:])
        if said is not None:
            messages.append(Message("user", said))
        return Prompt(tuple(messages))


def _message(entry: Entry) -> Message | None:
    match entry.kind:
        case "function_call":
            call = Call(entry.call_id, entry.name, entry.arguments or "{}")
            return Message("assistant", calls=(call,))
        case "function_call_output":
            return Message("tool", entry.output, call_id=entry.call_id)
        case "message":
            role = entry.role or "user"
            if entry.text:
                return Message(role, entry.text)
            return Message(role, UNINTELLIGIBLE) if role == "user" else None


def _length(message: Message) -> int:
    return len(message.text) + sum(len(call.name) + len(call.arguments) for call in message.calls)
