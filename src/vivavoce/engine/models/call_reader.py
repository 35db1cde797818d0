"""Reads what a model writes that may call functions (`calling`), and tells words and calls apart. Pure."""

import json
import re

import msgspec

from vivavoce.engine.models.calling import MARK
from vivavoce.engine.models.protocols import ArgumentsDelta, CallStarted, Generated, TextDelta
from vivavoce.errors import ModelError

__all__ = ["CallReader"]

_SPACE = " \t\r\n"
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class CallReader:
    """Reads one answer, piece by piece; where it is cut in pieces makes no difference to what is told in the end.

    An answer begins with words, and has only them, or with a call; where something ``must_call`` there are no words.
    """

    def __init__(self, *, must_call: bool = False) -> None:
        self._read = self._between if must_call else self._words
        self._news: list[Generated] = []
        self._held = ""  # a name or a key, until it is whole
        self._begun = False
        self._arguments = ""
        self._quoted = self._escaped = False
        self._depth = 0

    def take(self, text: str) -> list[Generated]:
        """Take more of an answer. Raises `ModelError` for a call that is none."""
        for character in text:
            self._read(character)
        news, self._news = self._news, []
        return news

    def finish(self) -> None:
        """Take the end of an answer that was not cut short. Raises `ModelError` when it ends in a call."""
        if self._read not in (self._words, self._between):
            raise self._wrong()

    def _words(self, character: str) -> None:
        if character == MARK and not self._begun:
            self._read = self._name
        else:
            self._tell(TextDelta(character))
        self._begun = True

    def _name(self, character: str) -> None:
        if character != "(":
            self._held += character
            return
        if not _NAME.fullmatch(self._held):
            raise self._wrong()
        self._news.append(CallStarted(self._held))
        self._arguments = self._held = ""
        self._argue("{")
        self._read = self._key

    def _key(self, character: str) -> None:
        if character == ")" and not self._held.strip():
            self._close()
        elif character == "=" and not self._inside(""):
            key = self._held.strip(f"{_SPACE},")
            self._argue(", " if self._arguments != "{" else "")
            self._argue((json.dumps(key) if _KEY.fullmatch(key) else key) + ": ")
            self._held, self._read = "", self._value
        else:
            self._inside(character)
            self._held += character

    def _value(self, character: str) -> None:
        if not self._inside("") and not self._depth and character in ",)":
            if character == ")":
                self._close()
            else:
                self._read = self._key
        else:
            self._inside(character)
            self._argue(character)

    def _between(self, character: str) -> None:
        if character == MARK:
            self._read = self._name
        elif character not in _SPACE:
            raise self._wrong()

    def _inside(self, character: str) -> bool:
        """Go through one more character of JSON, or of none; tell whether that ends within a string."""
        if self._escaped:
            self._escaped = not character
        elif character == "\\" and self._quoted:
            self._escaped = True
        elif character == '"':
            self._quoted = not self._quoted
        elif character and not self._quoted:
            self._depth += (character in "[{") - (character in "]}")
        return self._quoted

    def _close(self) -> None:
        self._argue("}")
        try:
            msgspec.json.decode(self._arguments, type=dict[str, msgspec.Raw])
        except msgspec.MsgspecError as error:
            raise self._wrong() from error
        self._held, self._read = "", self._between

    def _argue(self, text: str) -> None:
        self._arguments += text
        self._tell(ArgumentsDelta(text))

    def _tell(self, news: TextDelta | ArgumentsDelta) -> None:
        """Put a piece behind the last, or to it."""
        if self._news and type(self._news[-1]) is type(news) and news.text:
            last = self._news.pop()
            news = type(news)(last.text + news.text)  # type: ignore[union-attr]
        if news.text:
            self._news.append(news)

    def _wrong(self) -> ModelError:
        return ModelError("Expected words or calls, and the model wrote a call that is none.")
