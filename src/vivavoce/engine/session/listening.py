"""The half of a session that listens: from appended audio to a user's item with its words. Pure.

With turn detection, audio goes to the voice detector, and its answers decide where a turn begins and ends.
While somebody speaks, the recogniser is asked for partial transcripts; at the first pause, for the final one,
before the turn is decided: if the speaker goes on, that answer only counts as another hypothesis. Without turn
detection, audio waits in the buffer until the client commits it.
"""

from typing import Protocol

from vivavoce.audio import formats
from vivavoce.audio.pcm import Pcm
from vivavoce.engine.session import inputs
from vivavoce.engine.session.conversation import WIRE_RATE, Entry, Part
from vivavoce.engine.session.effects import CancelRecognition, Judge, Listen
from vivavoce.engine.session.idle import Idle
from vivavoce.engine.session.input_audio import BUFFER_LIMIT_S, InputAudio, ms, samples
from vivavoce.engine.session.outgoing import Outgoing
from vivavoce.engine.session.transcribing import Transcribing
from vivavoce.engine.session.turns import MIN_SPEECH_MS, TurnChange, TurnDetector
from vivavoce.engine.session.utterance import Utterance
from vivavoce.protocol import server_events as ev
from vivavoce.protocol.errors import buffer_full, commit_empty
from vivavoce.protocol.session import AudioFormat, AudioInput, AudioPcm, SemanticVad, ServerVad, TurnDetection

__all__ = ["LONGEST_TURN_S", "SHORTEST_COMMIT_MS", "Listener", "Listening"]

SHORTEST_COMMIT_MS = 100
"""The protocol refuses to commit less."""

LONGEST_TURN_S = 300
"""Somebody who speaks longer than this is answered anyway."""

SEMANTIC_SILENCE_MS = {"low": 2000, "medium": 1500, "auto": 1500, "high": 700}
"""Silence that ends a turn that is not taken for complete, by eagerness."""

SEMANTIC_COMPLETE_MS = {"low": 600, "medium": 350, "auto": 350, "high": 200}
"""Silence that ends a turn that is."""

COMPLETE = 0.8
"""Probability from which a turn is taken for complete. Smart Turn's authors say 0.5, which takes 17 % of recorded
pauses in mid-sentence for the end; at 0.8 it is 11 % (`benchmarks/turn_taking.py`)."""

SILENT = (
    "The user has been silent for {seconds:.0f} seconds. Remind the user, in one short question such as "
    '"Are you still there?", that you are waiting.'
)
"""What the model reads where ``idle_timeout_ms`` made a turn of silence: of ten wordings the one that Qwen2.5 1.5B
follows best. Smaller models tend to answer the question themselves."""


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


class Listening:
    """Audio in, turns and words out."""

    def __init__(self, out: Outgoing, listener: Listener, *, step_ms: int) -> None:
        self._out = out
        self._listener = listener
        self._step_ms = step_ms
        self._audio = InputAudio()
        self._format: AudioFormat = AudioPcm()
        self._decoder = formats.decoder(self._format.type)
        self._detection: TurnDetection | None = None
        self._detector: TurnDetector | None = None
        self._listening = 0
        self._idle = Idle()
        self._utterances = 0
        self._utterance: Utterance | None = None
        self._words = Transcribing(out, listener.transcribed)
        self._live = False

    @property
    def heard_anything(self) -> bool:
        """Whether audio was ever appended."""
        return self._audio.end + self._decoder.pending > 0

    def configure(self, heard: AudioInput, *, live: bool = False) -> None:
        """Follow the session's configuration; a turn being heard is only upset by another kind of turn detection.

        ``live`` asks for partial words even where the client commits the audio.
        """
        self._live = live
        self._words.configure(heard.transcription)
        if heard.format != self._format:
            self._complete()
            self._format, self._decoder = heard.format, formats.decoder(heard.format.type)
        before, self._detection = self._detection, heard.turn_detection
        if self._detection != before:
            self._idle.restart(self._audio.end)
            if self._detector is not None and type(before) is type(self._detection):
                self._detector.threshold = self._threshold()
                self._detector.silence_ms = self._patience()
            else:
                self._abandon()
                self._open_detector()

    def append(self, data: bytes) -> None:
        """Take audio in the session's format; raises `ProtocolError` when the buffer is full."""
        coming = formats.samples(len(data), self._format.type)
        if len(self._audio) + self._decoder.pending + coming > BUFFER_LIMIT_S * WIRE_RATE:
            raise buffer_full(BUFFER_LIMIT_S)
        self._hear(self._decoder.push(data))
        if self._detector is None and self._live:
            self._utterance = self._utterance or self._begin(self._audio.start)
            self._ask_partial()

    def clear(self) -> None:
        """Forget what was appended, and a turn that was being heard."""
        in_turn = self._utterance is not None
        self._abandon()
        self._complete()
        self._audio.clear()
        if in_turn:
            self._open_detector()  # who goes on speaking begins another turn
        self._idle.restart(self._audio.end)
        self._out.send(ev.InputAudioBufferCleared())

    def commit(self) -> None:
        """Make the buffer an item; raises `ProtocolError` when it holds less than `SHORTEST_COMMIT_MS`."""
        held = len(self._audio) + self._decoder.pending
        if held < samples(SHORTEST_COMMIT_MS):
            raise commit_empty(held / 24)
        self._complete()
        utterance = self._utterance or self._begin(self._audio.start)
        if self._utterance is not None:
            self._open_detector()
        self._idle.restart(self._audio.end)
        self._settle(utterance, self._audio.take(start=utterance.start), by_turn=False)

    def sent(self, event: ev.ServerEvent) -> None:
        """Take note of what was sent to the client: silence is counted from the end of an answer."""
        self._idle.sent(event, self._audio.end)

    def nothing_said(self) -> None:
        """Take word that a turn had no words, and gets no answer: nobody has spoken yet."""
        self._idle.nothing_said(self._audio.end)

    def voice_heard(self, answer: inputs.VoiceHeard) -> None:
        """Take the voice detector's answer."""
        for probability in answer.probabilities:
            if answer.listening != self._listening or self._detector is None:
                return
            change = self._detector.step(probability)
            if change is not None:
                self._turn_changed(change)
            elif self._too_long():
                self._open_detector()
                self._turn_stopped(ms(self._audio.end))
            elif self._silent_too_long():
                self._time_out()
        self._between_turns() if self._utterance is None else self._ask_partial()

    def recognised(self, answer: inputs.Recognised) -> None:
        """Take the recogniser's answer."""
        if self._words.waits_for(answer.utterance):
            self._words.recognised(answer)
        elif (utterance := self._utterance) is not None and utterance.number == answer.utterance:
            utterance.partial_in_flight &= answer.final
            if answer.final and answer.samples == utterance.final_at:
                utterance.final = answer.transcription
                self._may_be_over(utterance, answer.transcription.text)
            else:
                self._agreed(utterance, utterance.agreement.add(answer.transcription.text))

    def recognition_failed(self, answer: inputs.RecognitionFailed) -> None:
        """Take word that the recogniser failed; only the words are lost, the item stays."""
        if self._words.waits_for(answer.utterance):
            self._words.failed(answer)
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
                utterance.item_id = entry.id
                self._words.settle(utterance, entry, part.pcm(), index, quiet=quiet)

    def forget(self, item_id: str) -> None:
        """Stop recognising an item that is gone."""
        self._words.forget(item_id)

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

    def _time_out(self) -> None:
        """Make a turn of the silence since the last answer was played."""
        start, end = self._idle.since, samples(self._position_ms())
        if start is None:
            return
        utterance = self._begin(start)
        self._out.send(
            ev.InputAudioBufferTimeoutTriggered(
                audio_start_ms=ms(start), audio_end_ms=ms(end), item_id=utterance.item_id
            )
        )
        self._idle.told(answered=self._detection is not None and self._detection.create_response)
        aside = SILENT.format(seconds=(end - start) / WIRE_RATE)
        self._settle(utterance, self._audio.take(end, start=start), by_turn=True, aside=aside)

    def _settle(self, utterance: Utterance, pcm: Pcm, *, by_turn: bool, aside: str = "") -> None:
        """Make an utterance an item, and see to its words."""
        self._utterance = None
        part = Part("input_audio", text=None)
        part.add_audio(pcm)
        entry = Entry(utterance.item_id, "message", role="user", parts=[part], transcribing=True, aside=aside)
        self._listener.committed(entry, by_turn=by_turn)
        self._words.settle(utterance, entry, pcm)

    def _may_be_over(self, utterance: Utterance, text: str) -> None:
        if isinstance(self._detection, SemanticVad) and utterance.final_at is not None:
            pcm = self._audio.since(utterance.start, utterance.start + utterance.final_at)
            self._out.ask(Judge(utterance.number, pcm, text))
        self._listener.turn_may_be_over(utterance.item_id, text)

    def _ask_final(self) -> None:
        if (utterance := self._utterance) is not None:
            pcm = self._audio.since(utterance.start, samples(self._position_ms()))
            self._words.ask(utterance, pcm, final=True)

    def _ask_partial(self) -> None:
        utterance = self._utterance
        if utterance is None or utterance.partial_in_flight or utterance.final_at is not None:
            return
        if self._detector is not None and not self._detector.voiced:
            return  # this may be the end: the final transcription should not have to wait
        length = samples(self._position_ms()) - utterance.start
        if not utterance.partial_due(length):
            return
        utterance.partial_at, utterance.partial_in_flight = length, True
        pcm = self._audio.since(utterance.start, utterance.start + length)
        self._words.ask(utterance, pcm, final=False)

    def _agreed(self, utterance: Utterance, delta: str) -> None:
        self._words.tell(utterance.item_id, delta)
        if delta and utterance.final_at is None:
            self._listener.words_so_far(utterance.agreement.text)

    def _hear(self, pcm: Pcm) -> None:
        if len(pcm):
            self._audio.append(pcm)
            if self._detector is not None:
                self._out.ask(Listen(self._listening, pcm))

    def _complete(self) -> None:
        """Let the decoder give what it holds back: a stretch of audio ends here."""
        self._hear(self._decoder.flush())

    def _between_turns(self) -> None:
        """Keep only as much audio as the next turn's beginning, or the silence, may need."""
        keep = samples(self._position_ms() - self._padding_ms() - 2 * MIN_SPEECH_MS)
        if self._idle.since is not None and self._idle_timeout() is not None:
            keep = min(keep, self._idle.since)
        self._audio.drop_before(keep)

    def _open_detector(self) -> None:
        """Follow a new stream, from here on."""
        self._detector = None
        if self._detection is not None:
            self._listening += 1
            self._detector = TurnDetector(
                step_ms=self._step_ms,
                threshold=self._threshold(),
                silence_ms=self._patience(),
                origin_ms=ms(self._audio.end),
            )

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

    def _silent_too_long(self) -> bool:
        timeout, detector = self._idle_timeout(), self._detector
        return (
            timeout is not None
            and detector is not None
            and not detector.hears_something
            and self._idle.over(samples(detector.position_ms), timeout)
        )

    def _idle_timeout(self) -> int | None:
        detection = self._detection
        if isinstance(detection, ServerVad) and detection.idle_timeout_ms is not None:
            return samples(detection.idle_timeout_ms)
        return None

    def _threshold(self) -> float:
        return self._detection.threshold if isinstance(self._detection, ServerVad) else 0.5

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
