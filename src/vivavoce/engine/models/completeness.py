"""Whether words sound like a finished turn. Pure, and English: other languages only have the punctuation.

The recogniser punctuates by melody and grammar, so an ellipsis or a comma at the end tells of a speaker in the
middle of something; and no sentence ends with an article, a conjunction, an auxiliary or "um". (A sentence can
end with a preposition, but hardly with "of" or "into".) Many halves are whole sentences too ("Turn on the
light" … "in the kitchen"): no rule can know those, which is why silence still has the last word.
"""

import re

__all__ = ["sounds_complete"]

_UNFINISHED = frozenset(
    word
    for group in (
        "a an the my your his its our their this these those some any every each another no",  # determiners
        "and or but so because if when while although though unless until whereas than that which whose",
        "of into onto from with without between among during toward towards at by as per via",
        "am is are was were be been being have has had will would shall should can could may might must",
        "do does did i'm you're he's she's we're they're i'll you'll we'll they'll let's gonna wanna",
        "i we he she they who um uh er erm hmm like well",
    )
    for word in group.split()
)


def sounds_complete(text: str) -> bool:
    """Return whether a turn of these words may well be over."""
    stripped = text.strip()
    if not stripped or re.search(r"(\.\.\.|…|[,;:–—-])[\"'”’)\]]*$", stripped):
        return False
    if stripped.endswith("?"):
        return True  # "Where are you from?"
    words = re.findall(r"[\w'’]+", stripped)
    return bool(words) and words[-1].replace("’", "'").casefold() not in _UNFINISHED
