"""What a conversation's sessions are told to be, and what time it is, which Home Assistant tells in one text.

Where an agent has no tool for it, the prompt of each turn ends with the time, to the second. Instructions come before
all that was said: an endpoint that is told others must read the whole conversation again, or charge for it as if it
had. So the time is taken out of them, and told behind what was said before. Then they are also those of the next
conversation, so that an endpoint that keeps what it has read need not read them again. A session that takes the place
of another is told the same in the same places.
"""

import re

__all__ = ["Instructions"]

_TIME = re.compile(r"\s*Current time is (\d+:\d+)(?::\d+)?\. Today's date is ([\d-]+)\.")
"""As every release of Home Assistant says it, in every language."""


class Instructions:
    """The instructions of one conversation, and the times that it was told."""

    def __init__(self) -> None:
        self._known = ""
        self._now = ""
        self._told: dict[int, str] = {}

    def of(self, prompt: str) -> str:
        """Return what the instructions are to be, given the prompt of a turn."""
        time = _TIME.search(prompt)
        self._now = time[0].strip() if time else ""
        return _TIME.sub("", prompt)

    def time_before(self, number: int, *, last: bool) -> str | None:
        """Return the time to tell before what has this number in the chat log.

        Before the ``last``, which is to be answered, that is the time of the last prompt, if it is minutes from the one
        that was told before it; before all others, what was told there.
        """
        if last and _minute(self._now) != _minute(self._known):
            self._known = self._told[number] = self._now
        return self._told.get(number)


def _minute(time: str) -> tuple[str, ...]:
    found = _TIME.fullmatch(time)
    return found.groups() if found else ()
