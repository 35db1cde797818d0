"""Whether the models keep up with those who speak. Pure: times are passed in, in seconds of any one clock."""

__all__ = ["BEHIND_S", "CALM_S", "RECOVERED_S", "Pace", "Playhead"]

BEHIND_S = 2.0
"""So late, nobody calls it a conversation any more. A second is nothing unusual: the default language model, alone on a
core, may take that long from a first clause of two words to the next."""

RECOVERED_S = 0.5
"""No later than this, and the models have caught up."""

CALM_S = 5.0
"""How long they must have, before it is believed: about as long as a question or an answer lasts."""


class Pace:
    """Follows how late work is done.

    Once something is more than `BEHIND_S` late, the models are behind, until nothing has been more than
    `RECOVERED_S` late for `CALM_S`.
    """

    def __init__(self) -> None:
        self._behind_until = float("-inf")

    def observe(self, late: float, now: float) -> None:
        """Take how many seconds later something was done than real time allows; early is negative."""
        if late > (RECOVERED_S if self.behind(now) else BEHIND_S):
            self._behind_until = now + CALM_S

    def behind(self, now: float) -> bool:
        """Tell whether the models are behind."""
        return now < self._behind_until


class Playhead:
    """Where a listener is who began to play an answer when its first sound came, and waits when there is no more."""

    def __init__(self) -> None:
        self._played_at: float | None = None

    def arrived(self, seconds: float, now: float) -> float:
        """Take speech of so many seconds; return how long it was waited for, negative where more was there still."""
        due = now if self._played_at is None else self._played_at
        self._played_at = max(due, now) + seconds
        return now - due
