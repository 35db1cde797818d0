"""A player elsewhere: it is sent the sound, and says from time to time how far it has come. Pure."""

from collections.abc import Callable

from vivavoce.audio.pcm import Samples
from vivavoce.client.playback import Playback
from vivavoce.protocol.session import PCM_RATE

__all__ = ["RemotePlayer"]


class RemotePlayer:
    """A loudspeaker on another machine, behind ``play`` and ``clear``, which send it sound and silence it.

    Whatever it reports, never more counts as heard than it was given; a report that comes late, or twice, takes
    nothing back. What it reports of the time before it was last cleared does not count.
    """

    def __init__(self, play: Callable[[Samples], object], clear: Callable[[], object]) -> None:
        self.playback = Playback(PCM_RATE)
        """What it has been given; kept by who plays."""
        self.cleared = 0
        """How many times it was silenced: a report of samples that bears this number cannot be out of date."""
        self._play = play
        self._clear = clear
        self._reported = 0

    @property
    def heard(self) -> int:
        """Samples at 24 kHz that were heard since it was last cleared, as far as it has said."""
        return self._reported

    def play(self, samples: Samples) -> None:
        """Send samples at 24 kHz."""
        self._play(samples)

    def clear(self) -> None:
        """Silence it."""
        self._reported = 0
        self.cleared += 1
        self._clear()

    def report(self, samples: int, *, cleared: int | None = None) -> None:
        """Take its position in samples at 24 kHz since it was last cleared, for the ``cleared``-th time."""
        if cleared is None or cleared == self.cleared:
            self._reported = max(self._reported, min(samples, self.playback.received))

    def report_item(self, item_id: str, milliseconds: int, *, content_index: int = 0) -> None:
        """Take its position in an item; of one that is no longer played, it counts for nothing."""
        samples = self.playback.heard_at(item_id, content_index, milliseconds)
        if samples is not None:
            self.report(samples)
