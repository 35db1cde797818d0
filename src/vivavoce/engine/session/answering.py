"""The half of a session that answers: from words to text, speech and the events of a response. Pure.

At the first pause of a speaker an answer is begun on trial (a *speculation*): should the turn end there, it is
already under way; should the speaker go on, it is dropped, and nobody ever sees it.
"""

from dataclasses import dataclass, replace
from typing import Literal

from vivavoce.engine.models.protocols import Prompt
from vivavoce.engine.session import inputs
from vivavoce.engine.session.answer import Answer, Settings
from vivavoce.engine.session.conversation import Conversation, Entry
from vivavoce.engine.session.effects import Prepare
from vivavoce.engine.session.generation import Generation, Plan
from vivavoce.engine.session.outgoing import Outgoing
from vivavoce.engine.session.prompting import Prompting
from vivavoce.protocol.errors import conversation_already_has_active_response, response_cancel_not_active
from vivavoce.protocol.responses import StatusReason

__all__ = ["ANSWER_TOKENS", "Answering", "Wanted"]

ANSWER_TOKENS = 512
"""The most that an answer without a limit of its own may have, about two minutes of speech: small models loop."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a response is to be: the session's configuration, and what the client asked of this one."""

    settings: Settings
    instructions: str
    speed: float


class Answering:
    """Words in, responses out; at most one response at a time."""

    def __init__(
        self, out: Outgoing, conversation: Conversation, *, conversation_id: str, budget_tokens: int
    ) -> None:
        self._out = out
        self._conversation = conversation
        self._conversation_id = conversation_id
        self._prompting = Prompting(budget_tokens)
        self._answer: Answer | None = None
        self._wanted: Wanted | None = None
        self._speculation: Generation | None = None
        self._generations = 0
        self.spoke = False

    @property
    def active(self) -> bool:
        """Whether a response is in progress."""
        return self._answer is not None

    def respond(self, wanted: Wanted) -> None:
        """Begin a response; raises `ProtocolError` while another one is in progress."""
        if self._answer is not None:
            raise conversation_already_has_active_response(self._answer.id)
        self._wanted = wanted
        self._answer = Answer(
            self._out.ids.response(), wanted.settings, self._conversation_id, self._out, self._conversation
        )
        self._answer.begin()
        self.words_known()

    def words_known(self) -> None:
        """Start to write, unless words that the response must answer are still being recognised."""
        answer, wanted = self._answer, self._wanted
        if answer is None or wanted is None or answer.generation is not None:
            return
        if any(entry.transcribing for entry in self._conversation):
            return
        answer.generation = self._adopt(self._plan(wanted))
        self._flow(answer)

    def speculate(self, wanted: Wanted, said: str) -> None:
        """Begin an answer on trial, as if the user had finished."""
        plan = self._plan(wanted, said)
        if self._answer is not None or (self._speculation is not None and self._speculation.plan == plan):
            return
        self.drop_speculation()
        self._speculation = self._generate(plan)

    def drop_speculation(self) -> None:
        """Forget the answer on trial, if there is one."""
        if self._speculation is not None:
            self._speculation.drop()
            self._speculation = None

    def prepare(self, instructions: str, said: str | None = None) -> None:
        """Let the language model read the conversation, and what is being said, while nobody waits."""
        if self._answer is None and self._speculation is None:
            prompt = self._prompt(instructions, said)
            self._out.ask(Prepare(replace(prompt, unfinished=said is not None)))

    def cancel(self, reason: StatusReason, response_id: str | None = None) -> None:
        """End the response as cancelled; raises `ProtocolError` if there is none, or not this one."""
        if self._answer is None or response_id not in (None, self._answer.id):
            raise response_cancel_not_active()
        self._finish(self._answer, "cancelled", reason)

    def forget(self, entry: Entry) -> None:
        """End the response whose item was deleted."""
        if self._answer is not None and self._answer.entry is entry:
            self._finish(self._answer, "cancelled", "client_cancelled")

    def text_generated(self, answer: inputs.TextGenerated) -> None:
        """Take text from the language model."""
        if (generation := self._find(answer.generation)) is not None:
            generation.wrote(answer.text)
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

    def _flowing(self, generation: Generation) -> None:
        if self._answer is not None and self._answer.generation is generation:
            self._flow(self._answer)

    def _flow(self, answer: Answer) -> None:
        generation = answer.generation
        if generation is None:
            return
        answer.flow()
        self.spoke |= answer.entry is not None and answer.entry.parts[0].samples > 0
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
        self._answer = None
        if answer.generation is not None:
            answer.generation.drop()
        answer.finish(status, reason, failure)
        if self._wanted is not None:
            self.prepare(self._wanted.instructions)

    def _find(self, number: int) -> Generation | None:
        current = self._answer.generation if self._answer is not None else None
        for generation in (current, self._speculation):
            if generation is not None and generation.number == number:
                return generation
        return None

    def _adopt(self, plan: Plan) -> Generation:
        speculation, self._speculation = self._speculation, None
        if speculation is not None:
            if speculation.plan == plan and speculation.failure is None:
                return speculation
            speculation.drop()
        return self._generate(plan)

    def _generate(self, plan: Plan) -> Generation:
        self._generations += 1
        return Generation(self._generations, plan, self._out)

    def _plan(self, wanted: Wanted, said: str | None = None) -> Plan:
        settings = wanted.settings
        limit = settings.max_output_tokens
        return Plan(
            prompt=self._prompt(wanted.instructions, said),
            spoken=settings.modality == "audio",
            voice=settings.voice,
            speed=wanted.speed,
            max_tokens=ANSWER_TOKENS if limit == "inf" else min(limit, ANSWER_TOKENS * 8),
        )

    def _prompt(self, instructions: str, said: str | None = None) -> Prompt:
        return self._prompting.prompt(instructions, self._conversation, said)
