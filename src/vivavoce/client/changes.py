"""What a conversation tells those who follow it. Pure."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from vivavoce.client.conversation_item import ConversationItem

__all__ = ["CHANGES", "Appended", "Change", "Completed", "Delta", "Interrupted", "Listeners", "Updated"]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Delta:
    """What was added to an item; one of these at a time."""

    text: str = ""
    transcript: str = ""
    audio: bytes = b""
    """In the session's output format."""
    arguments: str = ""


@dataclass(frozen=True, slots=True)
class Appended:
    """An item has its place in the conversation; it may still grow."""

    type: ClassVar[str] = "item.appended"
    item: ConversationItem


@dataclass(frozen=True, slots=True)
class Completed:
    """An item will grow no more, but for the transcript of what the user said, which may come late.

    Its ``status`` says whether it is whole: ``incomplete`` is what was cut off.
    """

    type: ClassVar[str] = "item.completed"
    item: ConversationItem


@dataclass(frozen=True, slots=True)
class Updated:
    """An item is not as it was."""

    type: ClassVar[str] = "updated"
    item: ConversationItem
    delta: Delta | None = None
    """What was added; None where something else changed."""


@dataclass(frozen=True, slots=True)
class Interrupted:
    """The user has begun to speak: whatever is being played should fall silent."""

    type: ClassVar[str] = "interrupted"
    item: ConversationItem
    """What the speech will become."""


Change = Appended | Completed | Updated | Interrupted

CHANGES = tuple(change.type for change in (Appended, Completed, Updated, Interrupted))
"""The names that there are to listen to."""

Listener = Callable[[Change], object]


class Listeners:
    """Those who follow a conversation, by the type of change that they want to be told of."""

    def __init__(self) -> None:
        self._listeners: dict[str, list[Listener]] = {name: [] for name in CHANGES}

    def on(self, name: str, listener: Listener) -> Callable[[], None]:
        """Add one; what is returned takes it off again. Raises `ValueError` for a name that is not in `CHANGES`."""
        if name not in self._listeners:
            raise ValueError(f"Expected one of {', '.join(CHANGES)}, and got {name!r}.")
        listeners = self._listeners[name]
        listeners.append(listener)
        return lambda: listeners.remove(listener)

    def __deepcopy__(self, memo: object) -> "Listeners":
        """Return none: who follows a conversation does not follow its copies."""
        return Listeners()

    def any(self, name: str) -> bool:
        """Return whether anybody wants to be told."""
        return bool(self._listeners[name])

    def tell(self, change: Change) -> None:
        """Tell a change. A listener that fails is logged: the conversation goes on."""
        for listener in list(self._listeners[change.type]):
            try:
                listener(change)
            except Exception:  # noqa: BLE001 - whatever it raises
                _log.exception("a listener to %s failed", change.type)
