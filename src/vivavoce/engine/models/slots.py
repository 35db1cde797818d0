"""Which slot of llama.cpp a prompt goes to. Pure.

A slot holds what was computed for the last prompt that went through it. Left alone, llama.cpp gives a prompt to
the slot that begins most like it: two conversations with the same instructions then push each other out of one
slot, turn by turn, while the others stand empty. Here every slot has a price, in characters to be read again:
by this prompt, and by the conversation that it would push out.
"""

from dataclasses import dataclass

from vivavoce.engine.models.chatml import END

__all__ = ["ALIKE", "HALF_LIFE_SECONDS", "LOSS", "OWN_LOSS", "Slots"]

LOSS = 3.0
"""What it weighs to push another conversation out: it would come back, and push in its turn."""

OWN_LOSS = 0.5
"""What it weighs to push out what the same conversation was before its instructions or functions changed. Most go on
with the new ones, and what begins alike need not be read; some change back, and some were only read ahead as others."""

ALIKE = 400
"""Characters, about two turns, by which a conversation is known again that has lost its oldest items. What was computed
for them remembers what stood before, so nobody else's may be taken for it."""

HALF_LIFE_SECONDS = 300.0
"""After so much silence it is half as likely that a conversation goes on."""


@dataclass(slots=True)
class _Slot:
    text: str = ""
    conversation: str = ""
    used_at: float = 0.0
    takers: int = 0
    moved: bool = False


class Slots:
    """What is in each slot, and who is at work there. Times are in seconds of any clock that runs forward."""

    def __init__(self, count: int) -> None:
        self._slots = [_Slot() for _ in range(count)]

    def take(self, prompt: str, now: float, opening: int = 1, conversation: str = "") -> int:
        """Return the number of the slot that a prompt goes to; where all are taken, the one to wait for.

        ``opening`` is how many messages of the prompt are the same in every conversation of its kind, and
        ``conversation`` as in `vivavoce.engine.models.protocols.Prompt`.
        """
        fewest = min(slot.takers for slot in self._slots)
        free = [number for number, slot in enumerate(self._slots) if slot.takers == fewest]
        number = min(free, key=lambda number: _price(self._slots[number], prompt, now, opening, conversation))
        slot = self._slots[number]
        slot.moved = _later(slot.text, prompt, _shared(slot.text, prompt)) is not None
        slot.text, slot.used_at = prompt, now
        slot.conversation = conversation
        slot.takers += 1
        return number

    def moved(self, number: int) -> bool:
        """Tell whether the last prompt of a slot is the conversation that was there, without its oldest items."""
        return self._slots[number].moved

    def answered(self, number: int, answer: str) -> None:
        """Note that the prompt of a slot was answered in full; an answer that was cut off is of no use to anyone."""
        self._slots[number].text += answer

    def leave(self, number: int, now: float) -> None:
        """Give a slot back."""
        slot = self._slots[number]
        slot.used_at = now
        slot.takers -= 1


def _price(slot: _Slot, prompt: str, now: float, opening: int, conversation: str) -> float:
    shared = _shared(slot.text, prompt)
    unread = len(prompt) - shared
    if prompt.count(END, 0, shared) > opening:
        return float(unread)  # more than the instructions: the same conversation, which goes another way
    if (later := _later(slot.text, prompt, shared)) is not None:
        return float(unread - _shared(slot.text[later:], prompt[shared:]))
    awaited: float = 0.5 ** ((now - slot.used_at) / HALF_LIFE_SECONDS)
    loss = OWN_LOSS if conversation and slot.conversation == conversation else LOSS
    return unread + loss * awaited * (len(slot.text) - shared)


def _later(text: str, prompt: str, shared: int) -> int | None:
    """Return where in a slot's text a prompt goes on, behind items that it leaves out; None where it does not."""
    rest = prompt[shared : shared + ALIKE]
    found = text.find(rest, shared + 1) if len(rest) == ALIKE else -1
    return found if found >= 0 else None


def _shared(one: str, other: str) -> int:
    """Return how many characters two texts have in common at their beginning."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low
