"""What a session is to be, and what time it is, which Home Assistant tells in one text.

Where an agent has no tool for it, the prompt of each turn ends with the time, to the second. Instructions come before
all that was said: an endpoint that is told others must read the whole conversation again, or charge for it as if it
had. So the instructions stay as they are where only the time in them is another, and that is told behind what was said.
"""

import re

__all__ = ["Instructions"]

_TIME = re.compile(r"Current time is (\d+:\d+)(?::\d+)?\. Today's date is ([\d-]+)\.")
"""As every release of Home Assistant says it, in every language."""


class Instructions:
    """The instructions of one session, and the time that it knows."""

    def __init__(self) -> None:
        self._text = ""
        self._known: tuple[str, ...] | None = None
        self._time: re.Match[str] | None = None

    def of(self, prompt: str) -> str:
        """Return what the instructions are to be, given the prompt of a turn."""
        self._time = _TIME.search(prompt)
        if _TIME.sub("", prompt) != _TIME.sub("", self._text):
            self._text = prompt
            self._known = self._time and self._time.groups()
        return self._text

    def news(self) -> str | None:
        """Return the time, where it is minutes from the one that was told last; it counts as told from now on."""
        if self._time is None or self._time.groups() == self._known:
            return None
        self._known = self._time.groups()
        return self._time[0]
