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
        self._open: list[ConversationItem] = []

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()
        self._print(self._open)

    def show(self, conversation: Conversation, latest: ConversationItem | None, status: str) -> None:
        """Show the conversation, with the item that changed last, which may have no place in it yet."""
        self._open = [item for item in conversation.items if item.id not in self._printed]
        settled = 0
        while settled < len(self._open) and (
            _settled(self._open[settled]) or len(self._open) - settled > MOST_UNSETTLED
        ):
            settled += 1
        self._print(self._open[:settled])
        del self._open[:settled]
        if latest is not None and latest not in conversation.items and latest.id not in self._printed:
            self._open.append(latest)
        if self._live.is_started:
            lines = [_line(item) for item in self._open if item.words]
            self._live.update(Group(*lines, Text(status, style="dim")), refresh=True)

    def _print(self, items: list[ConversationItem]) -> None:
        for item in items:
            self._printed.add(item.id)
            if item.words:
                # Words are kept whole in a terminal, and lines in a file.
                self._console.print(_line(item), soft_wrap=not self._console.is_terminal)

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
