"""Showing downloads as they go: bars in a terminal, one line for each piece elsewhere."""

from typing import TYPE_CHECKING, Self

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TransferSpeedColumn

if TYPE_CHECKING:  # the gateway takes a second to import
    from vivavoce.gateway.upstream import Progress as Piece

__all__ = ["Narrator"]


class Narrator:
    """Tells of pieces on a console, for as long as the context lasts."""

    def __init__(self, console: Console) -> None:
        self._console = console
        columns = TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn()
        self._bars = Progress(*columns, console=console, transient=True)
        self._pieces: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._console.is_terminal:
            self._bars.stop()

    def hear(self, piece: "Piece") -> None:
        """Take word of how far a piece is."""
        if piece.name not in self._pieces:
            self._pieces[piece.name] = self._bars.add_task(f"Fetching {piece.name}", total=piece.total)
            if not self._console.is_terminal:
                self._console.print(f"Fetching {piece.name}, {piece.total / 1e6:.0f} MB.")
        self._bars.update(self._pieces[piece.name], completed=piece.done)
