"""The half of a session that answers: from words to text, speech and the events of a response. Pure.

At the first pause of a speaker an answer is begun on trial (a *speculation*): should the turn end there, it is
already under way; should the speaker go on, it is dropped, and nobody ever sees it.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Literal

from vivavoce.engine.models.protocols import ArgumentsDelta, CallStarted, Prompt
from vivavoce.engine.session import inputs
from vivavoce.engine.session.answer import Answer
from vivavoce.engine.session.conversation import Conversation, Entry
from vivavoce.engine.session.effects import Prepare
from vivavoce.engine.session.generation import Generation, Plan
from vivavoce.engine.session.outgoing import Outgoing
from vivavoce.engine.session.output import Destination
from vivavoce.engine.session.prompting import Prompting
from vivavoce.engine.session.wanted import Wanted
from vivavoce.errors import ProtocolError
from vivavoce.protocol.errors import conversation_already_has_active_response, response_cancel_not_active
from vivavoce.protocol.responses import StatusReason

__all__ = ["ANSWER_TOKENS", "OUT_OF_BAND_LIMIT", "Answering"]

ANSWER_TOKENS = 512
"""The most that an answer without a limit of its own may have, about two minutes of speech: small models loop."""

OUT_OF_BAND_LIMIT = 4
"""Responses that may run beside the conversation at one time; the language model writes so many at once."""


class Answering:
    """Words in, responses out: one at a time in the conversation, and some beside it."""

    def __init__(
        self,
        out: Outgoing,
        conversation: Conversation,
        usual: Wanted,
        *,
        conversation_id: str,
        budget_tokens: int,
    ) -> None:
        self._out = out
        self._usual = usual
        self._conversation = conversation
        self._conversation_id = conversation_id
        self._budget_tokens = budget_tokens
        self._prompting = Prompting(budget_tokens)
        self._answer: Answer | None = None
        self._beside: list[Answer] = []
        self._speculation: Generation | None = None
        self._generations = 0
        self.spoke = False

    @property
    def active(self) -> bool:
        """Whether a response of the conversation is in progress."""
        return self._answer is not None

    def configure(self, usual: Wanted) -> None:
        """Follow the session's configuration: ``usual`` is the response that it makes of itself."""
        self._usual = usual
        self.drop_speculation()
        self.prepare()

    def respond(self, wanted: Wanted | None = None) -> None:
        """Begin a response, the usual one if no other is wanted; raises `ProtocolError` while there can be none."""
        wanted = wanted or self._usual
        if not wanted.out_of_band and self._answer is not None:
            raise conversation_already_has_active_response(self._answer.id)
        if wanted.out_of_band and len(self._beside) >= OUT_OF_BAND_LIMIT:
            message = (
                f"There may be {OUT_OF_BAND_LIMIT} responses out of band at one time. Wait until one is done."
            )
            raise ProtocolError(message, code="rate_limit_exceeded", param="response.conversation")
        response_id = self._out.ids.response()
        if wanted.out_of_band:
            answer = Answer(wanted, Destination(response_id, self._out, None), None)
            self._beside.append(answer)
        else:
            answer = Answer(
                wanted, Destination(response_id, self._out, self._conversation), self._conversation_id
            )
            self._answer = answer
        answer.begin()

    def proceed(self) -> None:
        """Start to write what was begun, but for a response whose words are still being recognised."""
        for answer in [answer for answer in self._answers() if answer.generation is None]:
            context = self._context(answer.wanted)
            if any(entry.transcribing for entry in context):
                continue
            answer.heard = sum(
                part.samples for e in context for part in e.parts if part.kind == "input_audio"
            )
            plan = self._plan(answer.wanted)
            answer.generation = self._generate(plan) if answer in self._beside else self._adopt(plan)
            self._flow(answer)

    def speculate(self, said: str) -> None:
        """Begin the usual answer on trial, as if the user had finished."""
        plan = self._plan(self._usual, said)
        if self._answer is not None or (self._speculation is not None and self._speculation.plan == plan):
            return
        self.drop_speculation()
        self._speculation = self._generate(plan)

    def drop_speculation(self) -> None:
        """Forget the answer on trial, if there is one."""
        if self._speculation is not None:
            self._speculation.drop()
            self._speculation = None

    def prepare(self, said: str | None = None) -> None:
        """Let the language model read the conversation, and what is being said, while nobody waits."""
        if self._answer is None and self._speculation is None:
            self._out.ask(Prepare(replace(self._prompt(self._usual, said), unfinished=said is not None)))

    def cancel(self, reason: StatusReason, response_id: str | None = None) -> None:
        """End a response as cancelled, the conversation's if none is named; raises `ProtocolError` if there is none."""
        for answer in self._answers():
            if answer.id == response_id or (response_id is None and answer is self._answer):
                self._finish(answer, "cancelled", reason)
                return
        raise response_cancel_not_active()

    def forget(self, entry: Entry) -> None:
        """End the response that writes an item that was deleted."""
        if self._answer is not None and self._answer.writes(entry):
            self._finish(self._answer, "cancelled", "client_cancelled")

    def text_generated(self, answer: inputs.TextGenerated) -> None:
        """Take text from the language model."""
        if (generation := self._find(answer.generation)) is not None:
            generation.wrote(answer.text)
            self._flowing(generation)

    def called(self, answer: inputs.CallStarted | inputs.ArgumentsWritten) -> None:
        """Take a call from the language model, or more of it."""
        if (generation := self._find(answer.generation)) is not None:
            match answer:
                case inputs.CallStarted(name=name):
                    generation.called(CallStarted(name))
                case inputs.ArgumentsWritten(text=text):
                    generation.called(ArgumentsDelta(text))
            self._flowing(generation)

    def generation_finished(self, answer: inputs.GenerationFinished) -> None:
        """Take word that the language model is done."""
        if (generation := self._find(answer.generation)) is not None:
            generation.ended(answer.finished)
            self._flowing(generation)

    def speech_synthesised(self, answer: inputs.SpeechSynthesised) -> None:
        """Take speech from the synthesiser."""
        if (generation := self._find(answer.generation)) is not None:
            generation.spoke(answer.clause, answer.pcm)
            self._flowing(generation)

    def speech_finished(self, answer: inputs.SpeechFinished) -> None:
        """Take word that a clause has been spoken."""
        if (generation := self._find(answer.generation)) is not None:
            generation.clause_done()
            self._flowing(generation)

    def generation_failed(self, answer: inputs.GenerationFailed) -> None:
        """Take word that a model failed: the response fails, the session goes on."""
        if (generation := self._find(answer.generation)) is not None:
            generation.failure = answer.message
            self._flowing(generation)

    def _answers(self) -> list[Answer]:
        return [self._answer, *self._beside] if self._answer is not None else list(self._beside)

    def _flowing(self, generation: Generation) -> None:
        for answer in self._answers():
            if answer.generation is generation:
                self._flow(answer)

    def _flow(self, answer: Answer) -> None:
        generation = answer.generation
        if generation is None:
            return
        answer.flow()
        self.spoke |= answer.spoke and not answer.wanted.out_of_band
        if generation.failure is not None:
            self._finish(answer, "failed", failure=generation.failure)
        elif generation.complete and generation.finished is not None:
            if generation.finished.reason == "length":
                self._finish(answer, "incomplete", "max_output_tokens")
            else:
                self._finish(answer, "completed")

    def _finish(
        self,
        answer: Answer,
        status: Literal["completed", "cancelled", "incomplete", "failed"],
        reason: StatusReason | None = None,
        failure: str | None = None,
    ) -> None:
        if answer is self._answer:
            self._answer = None
        else:
            self._beside.remove(answer)
        if answer.generation is not None:
            answer.generation.drop()
        answer.finish(status, reason, failure)
        if not answer.wanted.out_of_band:
            self.prepare()

    def _find(self, number: int) -> Generation | None:
        running = [*(answer.generation for answer in self._answers()), self._speculation]
        return next((g for g in running if g is not None and g.number == number), None)

    def _adopt(self, plan: Plan) -> Generation:
        speculation = self._speculation
        if speculation is not None and speculation.plan == plan and speculation.failure is None:
            self._speculation = None
            return speculation
        self.drop_speculation()
        return self._generate(plan)

    def _generate(self, plan: Plan) -> Generation:
        self._generations += 1
        return Generation(self._generations, plan, self._out)

    def _plan(self, wanted: Wanted, said: str | None = None) -> Plan:
        limit = wanted.max_output_tokens
        return Plan(
            prompt=self._prompt(wanted, said),
            spoken=wanted.modality == "audio",
            voice=wanted.voice,
            speed=wanted.speed,
            max_tokens=ANSWER_TOKENS if limit == "inf" else min(limit, ANSWER_TOKENS * 8),
        )

    def _prompt(self, wanted: Wanted, said: str | None = None) -> Prompt:
        # What the conversation's own prompts left out is no matter of a context that a client chose.
        prompting = self._prompting if wanted.context is None else Prompting(self._budget_tokens)
        prompt = prompting.prompt(wanted.instructions, self._context(wanted), said, wanted.functions)
        asked = (wanted.instructions, wanted.functions, wanted.context, wanted.out_of_band)
        usual = asked == (self._usual.instructions, self._usual.functions, None, False)
        return replace(
            prompt,
            conversation=self._conversation_id if usual else "",
            tool_choice=wanted.tool_choice,
            must_call=wanted.must_call,
            parallel_calls=wanted.parallel_calls,
        )

    def _context(self, wanted: Wanted) -> Iterable[Entry]:
        return self._conversation if wanted.context is None else wanted.context
