"""Cut a stream of text into clauses that can be spoken one by one. Pure.

The first clause decides how soon an answer is heard, so it may be short; later ones are whole sentences where
possible, because a synthesiser gives a sentence a better melody than its parts. What is spoken for a clause
is its text; the cut never changes, adds or loses a character: joined, the clauses are the text.
"""

import re

__all__ = ["FIRST_CLAUSE_CHARS", "LATER_CLAUSE_CHARS", "LONGEST_CLAUSE_CHARS", "ClauseSplitter"]

FIRST_CLAUSE_CHARS = 8
"""A comma may end the first clause from here on: "Of course," can be spoken, "So," would sound clipped."""

LATER_CLAUSE_CHARS = 60
"""A comma may end a later clause from here on."""

LONGEST_CLAUSE_CHARS = 240
"""A clause is cut at a space from here on, whatever the grammar says, so that memory and delay are bounded."""

# A sentence ends at . ! ? … (with closing quotes or brackets) before white space, or at a line break.
# The white space must have arrived: "3." may yet become "3.5".
_SENTENCE = re.compile(r"[.!?…]+[\"'”’)\]]*\s+|\n+")
_PHRASE = re.compile(r"[,;:—–][\"'”’)\]]*\s+")
# A full stop after one of these, after an initial, or after the number of a list's line ends no sentence.
_ABBREVIATION = re.compile(
    r"""(?:
        (?:^|[\s("'“‘]) (?:Mr|Mrs|Ms|Dr|Prof|St|Jr|Sr|vs|etc|approx|No|e\.g|i\.e|[A-Z])
        | ^\s*\d+
    ) \. ["'”’)\]]* [ \t]+ $""",
    re.VERBOSE,
)


class ClauseSplitter:
    """Feed it text as it comes; it gives back clauses as they are complete."""

    def __init__(self) -> None:
        self._pending = ""
        self._count = 0

    def feed(self, text: str) -> list[str]:
        """Take more text; return the clauses that it completes."""
        self._pending += text
        clauses = []
        while (end := self._cut()) is not None:
            clauses.append(self._pending[:end])
            self._pending = self._pending[end:]
            self._count += 1
        return clauses

    def flush(self) -> list[str]:
        """Return what is left as the last clause, if there is anything."""
        rest, self._pending = self._pending, ""
        return [rest] if rest.strip() else []

    def _cut(self) -> int | None:
        """Return where the next clause ends, or None while it may still grow."""
        shortest = FIRST_CLAUSE_CHARS if self._count == 0 else LATER_CLAUSE_CHARS
        ends = [m.end() for m in _SENTENCE.finditer(self._pending) if self._ends_sentence(m)]
        ends += [m.end() for m in _PHRASE.finditer(self._pending) if m.start() >= shortest]
        if ends:
            return min(ends)
        if len(self._pending) > LONGEST_CLAUSE_CHARS:
            space = self._pending.rfind(" ", 0, LONGEST_CLAUSE_CHARS)
            return space + 1 if space > 0 else LONGEST_CLAUSE_CHARS
        return None

    def _ends_sentence(self, match: re.Match[str]) -> bool:
        head = self._pending[: match.end()]
        return bool(head.strip()) and not _ABBREVIATION.search(head)
