"""How clients speak, and how that is told: the dialects as a `Passage` takes them."""

import time
from collections.abc import Collection, Iterable
from typing import Final, Protocol

from vivavoce.dialects.beta import Beta
from vivavoce.dialects.mixed import Mixed
from vivavoce.dialects.voice import Ask, Said, Tell, Voice
from vivavoce.gateway.passage import Effect, ToClient, Up
from vivavoce.protocol.codec import Frame
from vivavoce.protocol.errors import binary_frame
from vivavoce.protocol.session_params import SessionParams, TranscriptionSessionParams

__all__ = ["BETA_HEADER", "BETA_SUBPROTOCOL", "Spoken", "Translated", "dialect", "speaks_beta"]

BETA_HEADER: Final = "OpenAI-Beta"
"""With ``realtime=v1`` among its values, it says that a client speaks the beta."""

BETA_SUBPROTOCOL: Final = "openai-beta.realtime-v1"
"""What browsers, which can set no headers, offer for it."""


class Translator(Protocol):
    """What turns one event into another; None where the client's language has none."""

    def hear(self, frame: Frame) -> Frame:
        """Read a client's event; raises `vivavoce.errors.ProtocolError`."""
        ...

    def say(self, frame: Frame) -> Frame | None:
        """Write a server's event."""
        ...

    def same(self, kind: str) -> bool:
        """Tell whether both leave events of this type as they are."""
        ...


class Translated:
    """The dialect of clients whose every event is another event of today."""

    def __init__(self, translator: Translator) -> None:
        self._translator = translator

    def hear(self, data: bytes, *, binary: bool) -> Iterable[Effect | ToClient]:
        """Read an event."""
        if binary:
            raise binary_frame()
        return (Up(self._translator.hear(Frame(data))),)

    def say(self, frame: Frame) -> Iterable[Effect | ToClient]:
        """Write an event."""
        told = self._translator.say(frame)
        return () if told is None else (ToClient(told.data),)

    def same(self, kind: str) -> bool:
        """Tell whether events of this type are said as they are now."""
        return self._translator.same(kind)


class Spoken:
    """The dialect of clients of the voice API."""

    def __init__(self) -> None:
        self._voice = Voice(time.time)

    def hear(self, data: bytes, *, binary: bool) -> Iterable[Effect | ToClient]:
        """Read a message."""
        return map(_effect, self._voice.hear(data, binary=binary))

    def say(self, frame: Frame) -> Iterable[Effect | ToClient]:
        """Write an event, and go on where it lets us."""
        return map(_effect, self._voice.say(frame))

    def same(self, kind: str) -> bool:  # noqa: ARG002 - for those who are asked
        """Say no: nothing of today's protocol is said as it is."""
        return False


def _effect(said: Said) -> Effect | ToClient:
    match said:
        case Ask(frame):
            return Up(frame)
        case Tell(data, binary):
            return ToClient(data, binary)


def speaks_beta(header: str | None, offered: Collection[str]) -> bool:
    """Tell the dialect from the header ``OpenAI-Beta`` and the subprotocols that are offered."""
    said = {value.strip() for value in (header or "").split(",")}
    return "realtime=v1" in said or BETA_SUBPROTOCOL in offered


def dialect(params: SessionParams, *, beta: bool) -> Translated:
    """Return how to speak with a client whose session begins as ``params`` say."""
    listens = isinstance(params, TranscriptionSessionParams)
    speech = Beta if beta else Mixed
    return Translated(speech("transcription" if listens else "realtime"))
