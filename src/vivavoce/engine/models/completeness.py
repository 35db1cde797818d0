"""Whether words sound like a finished turn. Pure, and English: other languages only have the punctuation.

The recogniser punctuates by melody and grammar, so an ellipsis or a comma at the end tells of a speaker in the
middle of something; and no sentence ends with an article, a conjunction, an auxiliary or "um". (A sentence can
end with a preposition, but hardly with "of" or "into", unless it asks for what belongs there.) A sentence that
begins with "if" or "when" and has no comma yet, or with "to", is its own first half. Many halves are whole sentences
too ("Turn on the light" … "in the kitchen"): no rule can know those, which is why silence still has the last word.

`benchmarks/turn_taking.py` counts how often a pause in mid-sentence is taken for the end: with the default models,
cuts went from 48 to 31 % of spoken-by-machine pauses and from 24 to 17 % of recorded ones by what is said here of
beginnings and of questions. It was written with those clips in view, so others may gain less.
"""

import re

__all__ = ["sounds_complete"]


def _set(*groups: str) -> frozenset[str]:
    return frozenset(word for group in groups for word in group.split())


_NEVER_LAST = _set(
    "a an the my your his its our their this these those some any every each another no",  # determiners
    "and or but so because if when while although though unless until whereas than that which whose",
    "via during among toward towards um uh er erm hmm",
    "i'm you're he's she's we're they're i'll you'll we'll they'll let's gonna wanna",
)

_AUXILIARY = _set(
    "am is are was were do does did have has had will would shall should can could may might must"
)

_LAST_IN_QUESTIONS = _AUXILIARY | _set("be been being i we he she they who like well")
"""What ends no statement, but may end a question: "Do you know what time it is?"."""

_PREPOSITIONS = _set("of into onto from with without between to at as by per")
"""A question may end with one where it asks for what belongs behind it: "Where are you from?"."""

_ASKING = _set("what where when who whom whose which how why")

_SUBORDINATE = _set(
    "if when while after before because although though unless until since once whenever whereas as"
)

_SENTENCE_END = re.compile(r"[.?!]\s+")


def sounds_complete(text: str) -> bool:
    """Return whether a turn of these words may well be over."""
    stripped = text.strip()
    if not stripped or re.search(r"(\.\.\.|…|[,;:–—-])[\"'”’)\]]*$", stripped):
        return False
    sentence = _SENTENCE_END.split(stripped)[-1]
    words = _words(sentence)
    return (
        bool(words) and not _ends_early(words, asks=stripped.endswith("?")) and not _is_first_half(sentence)
    )


def _ends_early(words: list[str], *, asks: bool) -> bool:
    last = words[-1]
    if last in _PREPOSITIONS:
        return not asks or words[0] not in _ASKING
    return last in _NEVER_LAST or (last in _LAST_IN_QUESTIONS and not asks)


def _is_first_half(sentence: str) -> bool:
    words = _words(sentence)
    if not words or "," in sentence:
        return False
    asks_when = words[0] == "when" and len(words) > 1 and words[1] in _AUXILIARY
    return words[0] == "to" or (words[0] in _SUBORDINATE and not asks_when)


def _words(text: str) -> list[str]:
    return [word.replace("’", "'").casefold() for word in re.findall(r"[\w'’]+", text)]
