"""The audio of a conversation, of which only so much is kept. Pure."""

from collections import deque

from vivavoce.client.conversation_item import ConversationItem, Part

__all__ = ["KeptAudio"]


class KeptAudio:
    """Fills the parts of items with their audio; where that becomes more than ``seconds``, the oldest is dropped.

    True keeps all of it, False none. An hour of PCM16 is 170 MB.
    """

    def __init__(self, seconds: float | bool) -> None:  # noqa: FBT001 - read as a whole: `keep_audio=True`
        if seconds < 0:
            raise ValueError(f"Expected seconds of audio to keep, or True or False, and got {seconds}.")
        self._limit_ms = None if seconds is True else round(seconds * 1000)
        self._parts: deque[Part] = deque()
        """Those that have audio, the oldest first."""
        self._size = 0
        self.bytes_per_ms = 48
        """Of the session's output format: PCM16 at 24 kHz, until the session says otherwise."""

    @property
    def any(self) -> bool:
        """Whether any is kept at all."""
        return self._limit_ms != 0

    def add(self, part: Part, audio: bytes) -> None:
        """Add audio to the end of a part."""
        if not (self.any and audio):
            return
        if not part.audio:
            self._parts.append(part)
        part.audio += audio
        self._size += len(audio)
        self._trim()

    def replace(self, part: Part, audio: bytes) -> None:
        """Take this for all the audio of a part."""
        self._remove(part)
        self.add(part, audio)

    def cut(self, part: Part, end_ms: int) -> None:
        """Drop what comes after so many milliseconds of a part."""
        whole = max(0, end_ms) * self.bytes_per_ms
        part.dropped = min(part.dropped, whole)
        end = whole - part.dropped
        self._size -= max(0, len(part.audio) - end)
        del part.audio[end:]
        if not part.audio:
            self._leave_out(part)

    def forget(self, item: ConversationItem) -> None:
        """Drop the audio of an item that is gone."""
        for part in item.content:
            self._remove(part)

    def _remove(self, part: Part) -> None:
        self._size -= len(part.audio)
        part.audio.clear()
        part.dropped = 0
        self._leave_out(part)

    def _leave_out(self, part: Part) -> None:
        self._parts = deque(one for one in self._parts if one is not part)

    def _trim(self) -> None:
        limit = self._size if self._limit_ms is None else self._limit_ms * self.bytes_per_ms
        while self._size > limit:
            oldest = self._parts[0]
            count = min(self._size - limit, len(oldest.audio))
            del oldest.audio[:count]
            oldest.dropped += count
            self._size -= count
            if not oldest.audio:
                self._parts.popleft()
