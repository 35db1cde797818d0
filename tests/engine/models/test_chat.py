import json

import pytest

from tests.engine.models.http_double import call, chunk
from vivavoce.engine.models.chat import LONGEST_COMPLAINT, AnswerReader, complaint, request
from vivavoce.engine.models.protocols import (
    ArgumentsDelta,
    Call,
    CallStarted,
    Finished,
    Function,
    Message,
    Prompt,
    TextDelta,
)
from vivavoce.errors import ModelError

LIGHT = Function("light", "Switch a light.", '{"type": "object", "properties": {"on": {"type": "boolean"}}}')
CLOCK = Function("clock")


def read(*chunks):
    """Return all that is told of an answer."""
    reader = AnswerReader()
    told = [piece for one in chunks for piece in reader.take(one)]
    return told + reader.finish()


def calls(*chunks):
    """Return the calls of an answer, put together."""
    made = []
    for piece in read(*chunks):
        match piece:
            case CallStarted(name):
                made.append([name, ""])
            case ArgumentsDelta(text):
                made[-1][1] += text
    return [tuple(one) for one in made]


class TestRequest:
    def ask(self, *messages, **how):
        return request("qwen", Prompt(messages, **how), max_tokens=9, temperature=0.4)

    def test_text_only(self):
        body = self.ask(Message("system", "Be kind."), Message("user", "Hello."))
        assert body == {
            "model": "qwen",
            "messages": [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Hello."}],
            "stream": True,
            "stream_options": {"include_usage": True},
            "max_tokens": 9,
            "temperature": 0.4,
        }

    def test_calls_and_what_they_gave(self):
        made = Call("call_1", "light", '{"on": true}')
        body = self.ask(Message("assistant", calls=(made,)), Message("tool", "done", call_id="call_1"))
        assert body["messages"] == [
            {
                "role": "assistant",
                "content": "",
                "tool_calls": [
                    {
                        "id": "call_1",
                        "type": "function",
                        "function": {"name": "light", "arguments": '{"on": true}'},
                    }
                ],
            },
            {"role": "tool", "content": "done", "tool_call_id": "call_1"},
        ]

    def test_functions(self):
        body = self.ask(Message("user", "Light!"), functions=(LIGHT, CLOCK))
        assert body["tools"] == [
            {
                "type": "function",
                "function": {
                    "name": "light",
                    "description": "Switch a light.",
                    "parameters": {"type": "object", "properties": {"on": {"type": "boolean"}}},
                },
            },
            {
                "type": "function",
                "function": {
                    "name": "clock",
                    "description": "",
                    "parameters": {"type": "object", "properties": {}},
                },
            },
        ]
        assert not body.keys() & {"tool_choice", "parallel_tool_calls"}

    @pytest.mark.parametrize(
        ("how", "expected"),
        [
            ({"tool_choice": "none"}, {"tool_choice": "none"}),
            ({"tool_choice": "required"}, {"tool_choice": "required"}),
            (
                {"tool_choice": "required", "must_call": "clock"},
                {"tool_choice": {"type": "function", "function": {"name": "clock"}}},
            ),
            ({"parallel_calls": False}, {"parallel_tool_calls": False}),
        ],
    )
    def test_what_must_or_may_be_called(self, how, expected):
        body = self.ask(Message("user", "?"), functions=(LIGHT, CLOCK), **how)
        assert {key: body[key] for key in body.keys() & {"tool_choice", "parallel_tool_calls"}} == expected

    def test_without_functions_nothing_is_said_of_them(self):
        body = self.ask(Message("user", "?"), tool_choice="required", parallel_calls=False)
        assert not body.keys() & {"tools", "tool_choice", "parallel_tool_calls"}


class TestText:
    def test_comes_in_pieces(self):
        usage = {
            "prompt_tokens": 12,
            "completion_tokens": 2,
            "prompt_tokens_details": {"cached_tokens": 8},
        }
        told = read(
            chunk(role="assistant", content=""),
            chunk(content="Hel"),
            chunk(content="lo"),
            chunk("stop"),
            json.dumps({"choices": [], "usage": usage}),
            "[DONE]",
        )
        assert told == [TextDelta("Hel"), TextDelta("lo"), Finished("stop", 12, 2, 8)]

    @pytest.mark.parametrize(
        ("reason", "expected"),
        [("stop", "stop"), ("length", "length"), ("tool_calls", "stop"), ("content_filter", "stop")],
    )
    def test_why_it_ended(self, reason, expected):
        assert read(chunk(reason, content="a"))[-1].reason == expected

    def test_without_usage_nothing_is_counted(self):
        assert read(chunk("stop", content="a"))[-1] == Finished("stop", 0, 0, 0)

    @pytest.mark.parametrize(
        "usage",
        [{"prompt_tokens": 3, "completion_tokens": 1}, {"prompt_tokens": 3, "completion_tokens": 1, "x": {}}],
    )
    def test_usage_may_come_with_the_last_piece(self, usage):
        assert read(chunk("stop", usage | {"prompt_tokens_details": None}, content="a"))[-1] == Finished(
            "stop", 3, 1
        )

    def test_thoughts_are_not_said(self):
        told = read(chunk(reasoning_content="Hm."), chunk(reasoning="Hm."), chunk("stop", content="Yes."))
        assert told[:-1] == [TextDelta("Yes.")]

    def test_done_without_a_reason_is_an_end(self):
        assert read(chunk(content="a"), "[DONE]")[-1] == Finished("stop", 0, 0)

    def test_no_end_is_a_failure(self):
        with pytest.raises(ModelError, match="broke off"):
            read(chunk(content="a"))


class TestCalls:
    def test_come_in_pieces_as_they_are_written(self):
        reader = AnswerReader()
        assert reader.take(chunk(content="One moment.")) == [TextDelta("One moment.")]
        assert reader.take(chunk(tool_calls=[call("", name="light", call_id="a")])) == [CallStarted("light")]
        assert reader.take(chunk(tool_calls=[call('{"on"')])) == [ArgumentsDelta('{"on"')]
        assert reader.take(chunk(tool_calls=[call(":true}")])) == [ArgumentsDelta(":true}")]
        assert reader.take(chunk("tool_calls")) == []
        assert reader.finish() == [Finished("stop", 0, 0)]

    def test_that_are_mixed_come_one_after_the_other(self):
        told = calls(
            chunk(
                tool_calls=[call("", name="light", call_id="a"), call("", name="clock", index=1, call_id="b")]
            ),
            chunk(tool_calls=[call('{"zone":', index=1)]),
            chunk(tool_calls=[call('{"on":')]),
            chunk(tool_calls=[call("true}"), call('"UTC"}', index=1)]),
            chunk("tool_calls"),
        )
        assert told == [("light", '{"on":true}'), ("clock", '{"zone":"UTC"}')]

    def test_that_are_all_numbered_0_are_told_apart_by_their_ids(self):
        told = calls(
            chunk(tool_calls=[call('{"on":true}', name="light", call_id="a")]),
            chunk("tool_calls", tool_calls=[call("{}", name="clock", call_id="b")]),
        )
        assert told == [("light", '{"on":true}'), ("clock", "{}")]

    def test_without_numbers(self):
        told = calls(
            chunk(tool_calls=[call("", name="light", index=None, call_id="a")]),
            chunk(tool_calls=[call('{"on":', index=None)]),
            chunk(tool_calls=[call("true}", index=None, call_id="a")]),
            chunk("tool_calls", tool_calls=[call(None, name="clock", index=None, call_id="b")]),
        )
        assert told == [("light", '{"on":true}'), ("clock", "{}")]

    @pytest.mark.parametrize("arguments", [None, "", " "])
    def test_without_arguments_have_an_empty_object(self, arguments):
        ((name, said),) = calls(chunk("tool_calls", tool_calls=[call(arguments, name="clock")]))
        assert (name, json.loads(said)) == ("clock", {})

    def test_with_an_object_instead_of_its_text(self):
        assert calls(chunk("stop", tool_calls=[call({"on": True}, name="light")])) == [
            ("light", '{"on": true}')
        ]

    def test_a_name_that_is_told_again_is_not_repeated(self):
        told = calls(
            chunk(tool_calls=[call("{", name="light", call_id="a")]),
            chunk("tool_calls", tool_calls=[call("}", name="light", call_id="a")]),
        )
        assert told == [("light", "{}")]

    def test_a_name_that_comes_late(self):
        reader = AnswerReader()
        assert reader.take(chunk(tool_calls=[call('{"on":')])) == []
        assert reader.take(chunk("stop", tool_calls=[call("true}", name="light")])) == [
            CallStarted("light"),
            ArgumentsDelta('{"on":true}'),
        ]

    def test_without_a_name_are_a_failure(self):
        with pytest.raises(ModelError, match="one has none"):
            read(chunk("tool_calls", tool_calls=[call("{}")]))

    def test_text_behind_them_is_left_out(self):
        told = read(
            chunk(tool_calls=[call("{}", name="clock")]), chunk("stop", content="It is late."), "[DONE]"
        )
        assert told == [CallStarted("clock"), ArgumentsDelta("{}"), Finished("stop", 0, 0)]


class TestFailures:
    @pytest.mark.parametrize(
        "data",
        [
            '{"error": {"message": "out of memory", "code": 500}}',
            '{"error": "out of memory"}',
            '{"object": "error", "message": "out of memory"}',
        ],
    )
    def test_in_the_stream(self, data):
        with pytest.raises(ModelError, match=r"^out of memory$"):
            AnswerReader().take(data)

    @pytest.mark.parametrize(
        "data", ["{", "[]", '"text"', '{"choices": 1}', '{"choices": [{"delta": 1}]}', "\ud800"]
    )
    def test_no_chunk(self, data):
        with pytest.raises(ModelError, match="Expected a chunk of an answer"):
            AnswerReader().take(data)

    @pytest.mark.parametrize(
        ("body", "told"),
        [
            ('{"error": {"message": "no\\n such   model"}}', "no such model"),
            ('{"detail": "Not Found"}', "Not Found"),
            ('{"detail": [{"loc": ["body"]}]}', '[{"loc": ["body"]}]'),
            ('{"message": "no"}', "no"),
            ("404 page not found\n", "404 page not found"),
            ("", ""),
        ],
    )
    def test_what_a_server_says_of_them(self, body, told):
        assert complaint(body) == told

    def test_a_page_is_not_passed_on_whole(self):
        assert complaint("x" * 5000) == "x" * LONGEST_COMPLAINT + "…"
