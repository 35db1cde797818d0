"""Chat completions, as OpenAI's servers and those that are compatible with them have them. Pure.

`request` writes what is asked for, and `AnswerReader` reads the answer's chunks. Servers differ in what they leave
out: usage, the index of a call or its id, the arguments of a call that needs none.
"""

import json
from typing import Any

import msgspec

from vivavoce.engine.models.protocols import (
    ArgumentsDelta,
    CallStarted,
    Finished,
    Function,
    Generated,
    Message,
    Prompt,
    TextDelta,
)
from vivavoce.errors import ModelError

__all__ = ["AnswerReader", "complaint", "request"]

LONGEST_COMPLAINT = 200
"""Characters of what a server says of its failure that are passed on."""


def request(model: str, prompt: Prompt, *, max_tokens: int, temperature: float) -> dict[str, Any]:
    """Return the body of a request for a streamed answer; what is as everybody has it anyway is left out."""
    body: dict[str, Any] = {
        "model": model,
        "messages": [_message(message) for message in prompt.messages],
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_tokens": max_tokens,
        "temperature": temperature,
    }
    if prompt.functions:
        body["tools"] = [{"type": "function", "function": _function(one)} for one in prompt.functions]
        if prompt.tool_choice == "required" and prompt.must_call:
            body["tool_choice"] = {"type": "function", "function": {"name": prompt.must_call}}
        elif prompt.tool_choice != "auto":
            body["tool_choice"] = prompt.tool_choice
        if not prompt.parallel_calls:
            body["parallel_tool_calls"] = False
    return body


def _message(message: Message) -> dict[str, Any]:
    body: dict[str, Any] = {"role": message.role, "content": message.text}
    if message.calls:
        body["tool_calls"] = [
            {
                "id": call.call_id,
                "type": "function",
                "function": {"name": call.name, "arguments": call.arguments},
            }
            for call in message.calls
        ]
    if message.role == "tool":
        body["tool_call_id"] = message.call_id
    return body


def _function(function: Function) -> dict[str, Any]:
    # Not every server takes an empty schema for what it means: an object without properties.
    parameters = json.loads(function.parameters) or {"type": "object", "properties": {}}
    return {"name": function.name, "description": function.description, "parameters": parameters}


class _FunctionDelta(msgspec.Struct):
    name: str | None = None
    arguments: str | dict[str, Any] | None = None


class _CallDelta(msgspec.Struct):
    index: int | None = None
    id: str | None = None
    function: _FunctionDelta | None = None


class _Delta(msgspec.Struct):
    content: str | None = None
    tool_calls: list[_CallDelta] | None = None


class _Choice(msgspec.Struct):
    delta: _Delta | None = None
    finish_reason: str | None = None


class _Details(msgspec.Struct):
    cached_tokens: int | None = None


class _Usage(msgspec.Struct):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    prompt_tokens_details: _Details | None = None


class _Chunk(msgspec.Struct):
    choices: list[_Choice] | None = None
    usage: _Usage | None = None
    error: Any = None
    object: str = ""


_decode = msgspec.json.Decoder(_Chunk).decode


class _Call:
    """A call as far as it is known, and how much of it has been told."""

    def __init__(self, index: int | None, call_id: str | None) -> None:
        self.index = index
        self.call_id = call_id
        self.name = ""
        self.arguments = ""
        self._told = -1

    def news(self, *, whole: bool) -> list[Generated]:
        """Return what has not been told; once the call is ``whole``, absent arguments are an empty object."""
        if whole and not self.arguments.strip():
            self.arguments += "{}"
        news: list[Generated] = []
        if self._told < 0 and self.name:
            news.append(CallStarted(self.name))
            self._told = 0
        if 0 <= self._told < len(self.arguments):
            news.append(ArgumentsDelta(self.arguments[self._told :]))
            self._told = len(self.arguments)
        return news


class AnswerReader:
    """Reads one answer, chunk by chunk.

    The first call is told as it comes. Chunks of several calls may be mixed, and so the others wait for its end.
    Text behind a call is nothing that could still be said, and left out.
    """

    def __init__(self) -> None:
        self.done = False
        """Whether the server said that nothing follows."""
        self._calls: list[_Call] = []
        self._usage = _Usage()
        self._reason: str | None = None

    def take(self, data: str) -> list[Generated]:
        """Take the data of one event. Raises `ModelError` for what is no chunk, or tells of a failure."""
        if data.strip() == "[DONE]":
            self.done = True
            return []
        try:
            chunk = _decode(data)
        except (msgspec.MsgspecError, UnicodeEncodeError) as error:
            raise ModelError(f"Expected a chunk of an answer, and what came is none: {error}.") from error
        if chunk.error is not None or chunk.object == "error":
            raise ModelError(complaint(data))
        self._usage = chunk.usage or self._usage
        if not chunk.choices:
            return []
        choice = chunk.choices[0]
        self._reason = choice.finish_reason or self._reason
        if choice.delta is None:
            return []
        news: list[Generated] = []
        if choice.delta.content and not self._calls:
            news.append(TextDelta(choice.delta.content))
        for delta in choice.delta.tool_calls or []:
            self._add(delta)
        return news + (self._calls[0].news(whole=False) if self._calls else [])

    def finish(self) -> list[Generated | Finished]:
        """Return what is left to tell. Raises `ModelError` when the answer has no end, or a call no name."""
        if self._reason is None and not self.done:
            raise ModelError("The answer broke off before its end.")
        rest: list[Generated | Finished] = []
        for call in self._calls:
            if not call.name:
                raise ModelError("Expected calls with names, and one has none.")
            rest += call.news(whole=True)
        details = self._usage.prompt_tokens_details
        finished = Finished(
            reason="length" if self._reason == "length" else "stop",
            input_tokens=self._usage.prompt_tokens or 0,
            output_tokens=self._usage.completion_tokens or 0,
            cached_tokens=(details and details.cached_tokens) or 0,
        )
        return [*rest, finished]

    def _add(self, delta: _CallDelta) -> None:
        call = self._find(delta)
        function = delta.function or _FunctionDelta()
        call.name = call.name or function.name or ""
        arguments = function.arguments or ""
        call.arguments += arguments if isinstance(arguments, str) else json.dumps(arguments)

    def _find(self, delta: _CallDelta) -> _Call:
        """Return the call that a delta belongs to. Some servers number none of them, and some all of them 0."""
        for call in reversed(self._calls):
            same_place = delta.index is None or call.index == delta.index
            same_call = not delta.id or call.call_id == delta.id
            if same_place and same_call:
                return call
        self._calls.append(_Call(delta.index, delta.id))
        return self._calls[-1]


def complaint(body: str) -> str:
    """Return what a server says of its failure, in one short line."""
    try:
        told = json.loads(body)
    except ValueError:
        told = body
    for key in ("error", "message", "detail"):
        if isinstance(told, dict) and told.get(key):
            told = told[key]
    line = " ".join((told if isinstance(told, str) else json.dumps(told)).split())
    return line if len(line) <= LONGEST_COMPLAINT else f"{line[:LONGEST_COMPLAINT]}…"
