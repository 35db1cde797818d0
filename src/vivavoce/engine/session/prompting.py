"""From a conversation to a prompt. Pure.

A language model that keeps what it computed for the beginning of a prompt only reads what is new, so the
beginning must stay the same from turn to turn: instructions first, then the items in order. When the prompt
grows too long, a good part of the oldest items goes at once, so that the beginning changes seldom.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from vivavoce.engine.models.protocols import Call, Function, Message, Prompt
from vivavoce.engine.session.conversation import Entry
from vivavoce.engine.session.tools import length

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

    def prompt(
        self,
        instructions: str,
        entries: Iterable[Entry],
        said: str | None = None,
        functions: tuple[Function, ...] = (),
    ) -> Prompt:
        """Make a prompt; ``said`` is what the user may just have said, not an item yet."""
        budget = self._budget - sum(map(length, functions))
        instructions = instructions[: budget // 2]
        kept = [(entry, message) for entry in entries if (message := _message(entry)) is not None]
        self._dropped &= {entry.id for entry, _ in kept}
        kept = [(entry, message) for entry, message in kept if entry.id not in self._dropped]
        room = budget - len(instructions) - len(said or "")
        total = sum(_length(message) for _, message in kept)
        if total > room:
            while len(kept) > 1 and total > room * KEPT_SHARE:
                entry, message = kept.pop(0)
                self._dropped.add(entry.id)
                total -= _length(message)
        messages = [Message("system", instructions), *(message for _, message in kept)]
        if kept and total > room:  # a single item that is too long by itself: its end matters most
            messages[-1] = replace(messages[-1], text=messages[-1].text[-room:])
        if said is not None:
            messages.append(Message("user", said))
        return Prompt(tuple(_joined(messages)), functions=functions)


def _message(entry: Entry) -> Message | None:
    match entry.kind:
        case "function_call" if entry.status != "completed":
            return None  # its arguments were cut off
        case "function_call":
            call = Call(entry.call_id, entry.name, entry.arguments or "{}")
            return Message("assistant", calls=(call,))
        case "function_call_output":
            return Message("tool", entry.output, call_id=entry.call_id)
        case "message":
            role = entry.role or "user"
            if entry.text:
                return Message(role, entry.text)
            if entry.aside:
                return Message("system", entry.aside)
            return Message(role, UNINTELLIGIBLE) if role == "user" else None


def _joined(messages: Iterable[Message]) -> Iterator[Message]:
    """Make one message of what an assistant says and calls in one go, as chat templates have it."""
    pending: Message | None = None
    for message in messages:
        if pending is not None and message.role == "assistant" and message.calls:
            pending = replace(pending, calls=pending.calls + message.calls)
            continue
        if pending is not None:
            yield pending
        pending = message if message.role == "assistant" else None
        if pending is None:
            yield message
    if pending is not None:
        yield pending


def _length(message: Message) -> int:
    return len(message.text) + sum(len(call.name) + len(call.arguments) for call in message.calls)
