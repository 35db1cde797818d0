"""Word errors: what has to change in what was heard until it is what was said."""

import re
from collections.abc import Sequence

__all__ = ["errors", "normalised"]

ONES = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
TEENS = [
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]

SAME = {
    "favorite": "favourite",
    "i'm": "i am",
    "it's": "it is",
    "you're": "you are",
    "that's": "that is",
    "can't": "cannot",
    "don't": "do not",
    "mr": "mister",
    "re entered": "reentered",
    "re enter": "reenter",
    "re record": "rerecord",
    "voicemail": "voice mail",
    "touchtone": "touch tone",
    "black list": "blacklist",
    "mail box": "mailbox",
}
"""Two ways to write what sounds the same, or is the same in full."""


def normalised(text: str) -> list[str]:
    """Return the words of a text: in small letters, without punctuation, numbers below a hundred in letters."""
    plain = text.lower().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
    plain = re.sub(r"\d+", lambda number: f" {_spelt(int(number[0]))} ", plain)
    plain = " ".join(re.findall(r"[a-z']+", plain))
    for one, other in SAME.items():
        plain = re.sub(rf"\b{one}\b", other, plain)
    return plain.replace("'", "").split()


def errors(said: Sequence[str], heard: Sequence[str]) -> int:
    """Return the fewest words to insert, delete and replace."""
    row = list(range(len(heard) + 1))
    for count, word in enumerate(said, 1):
        diagonal, row[0] = row[0], count
        for at, other in enumerate(heard, 1):
            diagonal, row[at] = row[at], min(row[at] + 1, row[at - 1] + 1, diagonal + (word != other))
    return row[-1]


def _spelt(number: int) -> str:
    if number >= 100:
        return " ".join(ONES[int(digit)] for digit in str(number))
    if number < 20:
        return [*ONES, *TEENS][number]
    return TENS[number // 10 - 2] + (f" {ONES[number % 10]}" if number % 10 else "")
