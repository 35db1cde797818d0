"""The half of a session that listens: from appended audio to a user's item with its words. Pure.

With turn detection, audio goes to the voice detector, and its answers decide where a turn begins and ends.
While somebody speaks, the recogniser is asked for partial transcripts; at the first pause, for the final one,
before the turn is decided: if the speaker goes on, that answer only counts as another hypothesis. Without turn
detection, audio waits in the buffer until the client commits it.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from vivavoce.engine.models.protocols import Transcription
from vivavoce.engine.session import inputs
from vivavoce.engine.session.conversation import WIRE_RATE, Entry, Part
from vivavoce.engine.session.effects import CancelRecognition, Judge, Listen, Recognise
from vivavoce.engine.session.input_audio import BUFFER_LIMIT_S, InputAudio, ms, samples
from vivavoce.engine.session.outgoing import Outgoing
from vivavoce.engine.session.turns import MIN_SPEECH_MS, TurnChange, TurnDetector
from vivavoce.engine.session.utterance import PARTIAL_EVERY_MS, Utterance
from vivavoce.protocol import server_events as ev
from vivavoce.protocol.errors import buffer_full, commit_empty
from vivavoce.protocol.session import SemanticVad, ServerVad
from vivavoce.protocol.session import Transcription as TranscriptionConfig
from vivavoce.protocol.usage import TranscriptionDuration

__all__ = ["LONGEST_TURN_S", "SHORTEST_COMMIT_MS", "Listener", "Listening"]

SHORTEST_COMMIT_MS = 100
"""The protocol refuses to commit less."""

LONGEST_TURN_S = 300
"""Somebody who speaks longer than this is answered anyway."""

SEMANTIC_SILENCE_MS = {"low": 2000, "medium": 1200, "auto": 1200, "high": 700}
"""Silence that ends a turn that is not taken for complete, by eagerness."""

SEMANTIC_COMPLETE_MS = {"low": 600, "medium": 350, "auto": 350, "high": 200}
"""Silence that ends a turn that is."""

COMPLETE = 0.5
"""Probability from which a turn is taken for complete, as Smart Turn's authors have it."""

Pcm = npt.NDArray[np.int16]


class Listener(Protocol):
    """Who is told what was heard: the rest of the session."""

    def speech_started(self) -> None:
        """Somebody began to speak."""

    def turn_may_be_over(self, item_id: str, text: str) -> None:
        """Somebody fell silent; these are the words, should the turn end here."""

    def words_so_far(self, text: str) -> None:
        """Somebody is speaking, and has said this for sure."""

    def turn_goes_on(self) -> None:
        """The turn was not over after all."""

    def committed(self, entry: Entry, *, by_turn: bool) -> None:
        """A user's item is complete, but for its words."""

    def transcribed(self, entry: Entry) -> None:
        """The words of an item are known, or known to be unknowable."""


@dataclass(frozen=True, slots=True)
class _Settling:
    """An item that waits for words, and which of its parts they are for."""

    utterance: Utterance
    entry: Entry
    index: int = 0
    quiet: bool = False
    """Whether the client is told nothing: the item is no item of the conversation."""


class Listening:
    """Audio in, turns and words out."""

    def __init__(self, out: Outgoing, listener: Listener, *, step_ms: int) -> None:
        self._out = out
        self._listener = listener
        self._step_ms = step_ms
        self._audio = InputAudio()
        self._detection: ServerVad | SemanticVad | None = None
        self._detector: TurnDetector | None = None
        self._transcription: TranscriptionConfig | None = None
        self._listening = 0
        self._utterances = 0
        self._utterance: Utterance | None = None
        self._settling: dict[int, _Settling] = {}

    def configure(
        self, detection: ServerVad | SemanticVad | None, transcription: TranscriptionConfig | None
    ) -> None:
        """Follow the session's configuration; a turn being heard is only upset when turn detection changes."""
        self._transcription = transcription
        if detection == self._detection:
            return
        self._detection = detection
        self._abandon()
        self._detector = None
        if detection is not None:
            self._listening += 1
            self._detector = TurnDetector(
                step_ms=self._step_ms,
                threshold=detection.threshold if isinstance(detection, ServerVad) else 0.5,
                silence_ms=self._patience(),
                origin_ms=ms(self._audio.end),
            )

    def append(self, pcm: Pcm) -> None:
        """Take audio; raises `ProtocolError` when the buffer is full."""
        if len(self._audio) + len(pcm) > BUFFER_LIMIT_S * WIRE_RATE:
            raise buffer_full(BUFFER_LIMIT_S)
        self._audio.append(pcm)
        if self._detector is not None:
            self._out.ask(Listen(self._listening, pcm))

    def clear(self) -> None:
        """Forget what was appended, and a turn that was being heard."""
        self._abandon()
        self._audio.clear()
        self._out.send(ev.InputAudioBufferCleared())

    def commit(self) -> None:
        """Make the buffer an item; raises `ProtocolError` when it holds less than `SHORTEST_COMMIT_MS`."""
        if len(self._audio) < samples(SHORTEST_COMMIT_MS):
            raise commit_empty(len(self._audio) / 24)
        utterance = self._utterance or self._begin(self._audio.start)
        if self._detector is not None and self._utterance is not None:
            self._restart_detector()
        self._settle(utterance, self._audio.take(start=utterance.start), by_turn=False)

    def voice_heard(self, answer: inputs.VoiceHeard) -> None:
        """Take the voice detector's answer."""
        for probability in answer.probabilities:
            if answer.listening != self._listening or self._detector is None:
                return
            change = self._detector.step(probability)
            if change is not None:
                self._turn_changed(change)
            elif self._too_long():
                self._restart_detector()
                self._turn_stopped(ms(self._audio.end))
        self._between_turns() if self._utterance is None else self._ask_partial()

    def recognised(self, answer: inputs.Recognised) -> None:
        """Take the recogniser's answer."""
        if answer.utterance in self._settling:
            if answer.samples == self._settling[answer.utterance].utterance.final_at:
                self._settled(answer.utterance, answer.transcription)
        elif (utterance := self._utterance) is not None and utterance.number == answer.utterance:
            utterance.partial_in_flight &= answer.final
            if answer.final and answer.samples == utterance.final_at:
                utterance.final = answer.transcription
                self._may_be_over(utterance, answer.transcription.text)
            else:
                self._agreed(utterance, utterance.agreement.add(answer.transcription.text))

    def recognition_failed(self, answer: inputs.RecognitionFailed) -> None:
        """Take word that the recogniser failed; only the words are lost, the item stays."""
        if answer.final and answer.utterance in self._settling:
            settling = self._settle_down(answer.utterance)
            if self._transcription is not None and not settling.quiet:
                error = ev.TranscriptionError(type="server_error", code="model_error", message=answer.message)
                self._out.send(
                    ev.ConversationItemInputAudioTranscriptionFailed(
                        item_id=settling.entry.id, content_index=settling.index, error=error
                    )
                )
            self._listener.transcribed(settling.entry)
        elif self._utterance is not None and self._utterance.number == answer.utterance:
            self._utterance.partial_in_flight &= answer.final
            if answer.final:
                self._utterance.final_at = None

    def judged(self, answer: inputs.Judged) -> None:
        """Take the judgement on a pause: a turn that is complete need not be waited for as long."""
        utterance, detector = self._utterance, self._detector
        if utterance is None or detector is None or not isinstance(self._detection, SemanticVad):
            return
        if (utterance.number, utterance.final_at) == (answer.utterance, answer.samples):
            complete = answer.probability >= COMPLETE
            eagerness = self._detection.eagerness
            detector.silence_ms = (SEMANTIC_COMPLETE_MS if complete else SEMANTIC_SILENCE_MS)[eagerness]

    def understand(self, entry: Entry, *, quiet: bool = False) -> None:
        """Recognise the audio of an item that came without its words; ``quiet`` where it is in no conversation."""
        for index, part in enumerate(entry.parts):
            if part.kind == "input_audio" and part.text is None and part.samples:
                utterance = self._begin(0)
                utterance.item_id, utterance.final_at = entry.id, part.samples
                entry.transcribing = True
                self._settling[utterance.number] = _Settling(utterance, entry, index, quiet)
                self._out.ask(self._recognition(utterance, part.pcm(), final=True))

    def forget(self, item_id: str) -> None:
        """Stop recognising an item that is gone."""
        for number, settling in list(self._settling.items()):
            if settling.entry.id == item_id:
                del self._settling[number]
                self._out.ask(CancelRecognition(number))

    def _turn_changed(self, change: TurnChange) -> None:
        match change.kind:
            case "started":
                self._turn_started(change.at_ms)
            case "paused":
                self._ask_final()
            case "resumed":
                self._turn_resumed()
            case "stopped":
                self._turn_stopped(change.at_ms)

    def _turn_started(self, onset_ms: int) -> None:
        start = max(self._audio.start, samples(onset_ms - self._padding_ms()))
        self._utterance = self._begin(start)
        self._out.send(
            ev.InputAudioBufferSpeechStarted(audio_start_ms=ms(start), item_id=self._utterance.item_id)
        )
        self._listener.speech_started()

    def _turn_resumed(self) -> None:
        if (utterance := self._utterance) is not None:
            utterance.final = utterance.final_at = None
        if self._detector is not None:
            self._detector.silence_ms = self._patience()
        self._listener.turn_goes_on()

    def _turn_stopped(self, at_ms: int) -> None:
        if (utterance := self._utterance) is None:
            return
        if self._detector is not None:
            self._detector.silence_ms = self._patience()
        self._out.send(ev.InputAudioBufferSpeechStopped(audio_end_ms=at_ms, item_id=utterance.item_id))
        self._settle(utterance, self._audio.take(samples(at_ms), start=utterance.start), by_turn=True)

    def _begin(self, start: int) -> Utterance:
        self._utterances += 1
        return Utterance(self._utterances, self._out.ids.item(), start)

    def _settle(self, utterance: Utterance, pcm: Pcm, *, by_turn: bool) -> None:
        """Make an utterance an item, and see to its words."""
        self._utterance = None
        part = Part("input_audio", text=None)
        part.add_audio(pcm)
        entry = Entry(utterance.item_id, "message", role="user", parts=[part], transcribing=True)
        self._settling[utterance.number] = _Settling(utterance, entry)
        self._listener.committed(entry, by_turn=by_turn)
        if utterance.final is not None:
            self._settled(utterance.number, utterance.final)
        elif utterance.final_at is None:
            utterance.final_at = len(pcm)
            self._out.ask(self._recognition(utterance, pcm, final=True))

    def _settled(self, number: int, transcription: Transcription) -> None:
        settling = self._settle_down(number)
        entry, index = settling.entry, settling.index
        part = entry.parts[index]
        part.text = transcription.text
        if self._transcription is not None and not settling.quiet:
            self._delta(entry.id, settling.utterance.agreement.finish(transcription.text), index)
            self._out.send(
                ev.ConversationItemInputAudioTranscriptionCompleted(
                    item_id=entry.id,
                    content_index=index,
                    transcript=transcription.text,
                    usage=TranscriptionDuration(seconds=round(part.samples / WIRE_RATE, 2)),
                )
            )
        self._listener.transcribed(entry)

    def _settle_down(self, number: int) -> "_Settling":
        settling = self._settling.pop(number)
        settling.entry.transcribing = any(other.entry is settling.entry for other in self._settling.values())
        return settling

    def _may_be_over(self, utterance: Utterance, text: str) -> None:
        if isinstance(self._detection, SemanticVad) and utterance.final_at is not None:
            pcm = self._audio.since(utterance.start, utterance.start + utterance.final_at)
            self._out.ask(Judge(utterance.number, pcm, text))
        self._listener.turn_may_be_over(utterance.item_id, text)

    def _ask_final(self) -> None:
        if (utterance := self._utterance) is None:
            return
        pcm = self._audio.since(utterance.start, samples(self._position_ms()))
        utterance.final_at = len(pcm)
        self._out.ask(self._recognition(utterance, pcm, final=True))

    def _ask_partial(self) -> None:
        utterance = self._utterance
        if utterance is None or utterance.partial_in_flight or utterance.final_at is not None:
            return
        if self._detector is None or not self._detector.voiced:
            return  # this may be the end: the final transcription should not have to wait
        length = samples(self._position_ms()) - utterance.start
        if length - utterance.partial_at < samples(PARTIAL_EVERY_MS):
            return
        utterance.partial_at, utterance.partial_in_flight = length, True
        pcm = self._audio.since(utterance.start, utterance.start + length)
        self._out.ask(self._recognition(utterance, pcm, final=False))

    def _recognition(self, utterance: Utterance, pcm: Pcm, *, final: bool) -> Recognise:
        config = self._transcription
        return Recognise(
            utterance.number,
            pcm,
            final,
            language=(config.language or None) if config else None,
            prompt=(config.prompt or None) if config else None,
        )

    def _agreed(self, utterance: Utterance, delta: str) -> None:
        self._delta(utterance.item_id, delta)
        if delta and utterance.final_at is None:
            self._listener.words_so_far(utterance.agreement.text)

    def _delta(self, item_id: str, delta: str, index: int = 0) -> None:
        if delta and self._transcription is not None:
            self._out.send(
                ev.ConversationItemInputAudioTranscriptionDelta(
                    item_id=item_id, content_index=index, delta=delta
                )
            )

    def _between_turns(self) -> None:
        """Keep only as much audio as the next turn's beginning may need."""
        self._audio.drop_before(samples(self._position_ms() - self._padding_ms() - 2 * MIN_SPEECH_MS))

    def _restart_detector(self) -> None:
        detection, self._detection = self._detection, None
        utterance, self._utterance = self._utterance, None
        self.configure(detection, self._transcription)
        self._utterance = utterance

    def _abandon(self) -> None:
        if self._utterance is not None:
            self._out.ask(CancelRecognition(self._utterance.number))
            self._utterance = None
            self._listener.turn_goes_on()

    def _too_long(self) -> bool:
        utterance = self._utterance
        return (
            utterance is not None
            and samples(self._position_ms()) - utterance.start > LONGEST_TURN_S * WIRE_RATE
        )

    def _position_ms(self) -> int:
        return self._detector.position_ms if self._detector is not None else ms(self._audio.end)

    def _padding_ms(self) -> int:
        return self._detection.prefix_padding_ms if isinstance(self._detection, ServerVad) else 300

    def _patience(self) -> int:
        match self._detection:
            case ServerVad(silence_duration_ms=silence):
                return silence
            case SemanticVad(eagerness=eagerness):
                return SEMANTIC_SILENCE_MS[eagerness]
            case None:
                return 0
