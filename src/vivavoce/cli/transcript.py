"""A conversation in a terminal: what is settled scrolls away above, what is still growing lives below."""

from types import TracebackType
from typing import Self

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from vivavoce.client.conversation import Conversation, ConversationItem

__all__ = ["Transcript"]

MOST_UNSETTLED = 4
"""What is older is taken as it is: a transcript that never comes must not hold up all that follows."""

_NAMES = {"user": ("You     ", "bold cyan"), "assistant": ("Answer  ", "bold green")}


class Transcript:
    """Shows a conversation as it goes. Use it as a context manager."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live = Live(console=console, transient=True, auto_refresh=False)
        self._printed: set[str] = set()

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def show(self, conversation: Conversation, latest: ConversationItem | None, status: str) -> None:
        """Show the conversation, with the item that changed last, which may have no place in it yet."""
        open_items = [item for item in conversation.items if item.id not in self._printed]
        while open_items and (_settled(open_items[0]) or len(open_items) > MOST_UNSETTLED):
            item = open_items.pop(0)
            self._printed.add(item.id)
            if item.words:
                self._console.print(_line(item))
        if latest is not None and latest not in conversation.items and latest.id not in self._printed:
            open_items.append(latest)
        if self._live.is_started:
            lines = [_line(item) for item in open_items if item.words]
            self._live.update(Group(*lines, Text(status, style="dim")), refresh=True)

    def note(self, message: str) -> None:
        """Print something that is no part of the conversation."""
        self._console.print(Text(message, style="yellow"))


def _settled(item: ConversationItem) -> bool:
    if item.role == "user":
        return item.transcribed or any(not part.spoken for part in item.content)
    return item.status in {"completed", "incomplete"}


def _line(item: ConversationItem) -> Text:
    name = _NAMES.get(item.role, (f"{item.role or item.type}  ", "bold"))
    return Text.assemble(name, item.words.strip(), ("" if item.audio_end_ms is None else " …", "dim"))
