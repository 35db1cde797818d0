"""The words of what was said: asked of the recogniser, told as they come, and told in the end. Pure."""

from collections.abc import Callable
from dataclasses import dataclass

from vivavoce.audio.pcm import Pcm
from vivavoce.engine.models.protocols import Transcription
from vivavoce.engine.session import inputs, wire
from vivavoce.engine.session.conversation import Entry
from vivavoce.engine.session.effects import CancelRecognition, Recognise
from vivavoce.engine.session.outgoing import Outgoing
from vivavoce.engine.session.utterance import Utterance
from vivavoce.errors import ProtocolError
from vivavoce.protocol import server_events as ev
from vivavoce.protocol.session import Transcription as TranscriptionConfig

__all__ = ["Transcribing"]


@dataclass(frozen=True, slots=True)
class _Settling:
    """An item that waits for words, and which of its parts they are for."""

    utterance: Utterance
    entry: Entry
    index: int
    quiet: bool
    """Whether the client is told nothing: the item is no item of the conversation."""


class Transcribing:
    """What the recogniser makes of utterances; ``transcribed`` is called when an item has its words, or never will.

    A client is told only if it asked for transcriptions; the session itself needs the words in any case.
    """

    def __init__(self, out: Outgoing, transcribed: Callable[[Entry], None]) -> None:
        self._config: TranscriptionConfig | None = None
        self._out = out
        self._transcribed = transcribed
        self._settling: dict[int, _Settling] = {}

    def configure(self, config: TranscriptionConfig | None) -> None:
        """Follow the session's configuration."""
        self._config = config

    def ask(self, utterance: Utterance, pcm: Pcm, *, final: bool) -> None:
        """Ask for the words of an utterance, or of what there is of it."""
        if final:
            utterance.final_at = len(pcm)
        config = self._config
        self._out.ask(
            Recognise(
                utterance.number,
                pcm,
                final,
                language=(config.language or None) if config else None,
                prompt=(config.prompt or None) if config else None,
            )
        )

    def tell(self, item_id: str, delta: str, index: int = 0) -> None:
        """Tell more words of an item."""
        if delta and self._config is not None:
            self._out.send(
                ev.ConversationItemInputAudioTranscriptionDelta(
                    item_id=item_id, content_index=index, delta=delta
                )
            )

    def settle(
        self, utterance: Utterance, entry: Entry, pcm: Pcm, index: int = 0, *, quiet: bool = False
    ) -> None:
        """See to the words of an item; ``quiet`` where it is in no conversation."""
        entry.transcribing = True
        self._settling[utterance.number] = _Settling(utterance, entry, index, quiet)
        if utterance.final is not None:
            self._settled(utterance.number, utterance.final)
        elif utterance.final_at is None:
            self.ask(utterance, pcm, final=True)

    def waits_for(self, utterance: int) -> bool:
        """Whether an item waits for the words of this utterance."""
        return utterance in self._settling

    def recognised(self, answer: inputs.Recognised) -> None:
        """Take the recogniser's answer for an item that waits for it."""
        if answer.samples == self._settling[answer.utterance].utterance.final_at:
            self._settled(answer.utterance, answer.transcription)

    def failed(self, answer: inputs.RecognitionFailed) -> None:
        """Take word that the recogniser failed; only the words are lost, the item stays."""
        if not answer.final:
            return
        settling = self._settle_down(answer.utterance)
        if not settling.quiet:
            self._out.send(self._failure(settling, answer.message))
        self._transcribed(settling.entry)

    def forget(self, item_id: str) -> None:
        """Stop recognising an item that is gone."""
        for number, settling in list(self._settling.items()):
            if settling.entry.id == item_id:
                del self._settling[number]
                self._out.ask(CancelRecognition(number))

    def _failure(self, settling: _Settling, message: str) -> ev.ServerEvent:
        if self._config is not None:
            error = ev.TranscriptionError(type="server_error", code="model_error", message=message)
            return ev.ConversationItemInputAudioTranscriptionFailed(
                item_id=settling.entry.id, content_index=settling.index, error=error
            )
        # Who asked for no transcript waits for an answer, and should not do so in vain.
        return ev.ErrorEvent.of(
            ProtocolError(
                f"What was said could not be recognised: {message}", code="model_error", type="server_error"
            )
        )

    def _settled(self, number: int, transcription: Transcription) -> None:
        settling = self._settle_down(number)
        entry, index = settling.entry, settling.index
        part = entry.parts[index]
        part.text = transcription.text
        if self._config is not None and not settling.quiet:
            self.tell(entry.id, settling.utterance.agreement.finish(transcription.text), index)
            self._out.send(
                ev.ConversationItemInputAudioTranscriptionCompleted(
                    item_id=entry.id,
                    content_index=index,
                    transcript=transcription.text,
                    usage=wire.transcription_usage(self._config.model, transcription, part.samples),
                )
            )
        self._transcribed(entry)

    def _settle_down(self, number: int) -> _Settling:
        settling = self._settling.pop(number)
        settling.entry.transcribing = any(other.entry is settling.entry for other in self._settling.values())
        return settling
