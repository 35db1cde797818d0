import json
import sys

import pytest

from vivavoce.errors import ScriptError
from vivavoce.testing.script import Failure, Latency, parse_script

WHOLE = """
seed: 7
latency_ms: {in: 10, out: 20}
after: last
hear: Good day.
speech: silence
delay_ms: 5
emit: [{type: mcp_list_tools.in_progress, item_id: mcp_1}]
turns:
  - expect: Hello
    say: Hi there.  Well?
  - expect: {user_matches: "(?i)weather", output: {degrees: 21}}
    hear: ["", "And the weather?"]
    call: {name: get_weather, arguments: {city: Łódź}}
  - say: ["Hel", "lo"]
    error: "out of order"
    pace_ms: 2.5
  - fail_transcription: "too quiet"
    say: Yes.
    incomplete: content_filter
"""


class TestParsing:
    def test_a_whole_script(self):
        script = parse_script(WHOLE)
        first, second, third, fourth = script.turns
        assert (script.seed, script.after, script.hear) == (7, "last", "Good day.")
        assert script.latency == Latency(10, 20)
        assert (first.expected.user, first.words) == ("Hello", ["Hi", " there.", "  Well?"])
        assert (second.expected.user, second.expected.output) == (None, {"degrees": 21})
        assert second.heard == ["", "And the weather?"]
        assert [(call.name, call.text) for call in second.calls] == [("get_weather", '{"city": "Łódź"}')]
        assert (third.words, third.failure) == (["Hel", "lo"], Failure("out of order"))
        assert (third.pace_ms, third.delay_ms, script.delay_ms) == (2.5, None, 5)
        assert (fourth.fail_transcription, fourth.incomplete) == ("too quiet", "content_filter")

    def test_one_number_is_the_latency_of_both_directions(self):
        assert parse_script("{latency_ms: 10, turns: [{say: Hi.}]}").latency == Latency(10, 10)

    def test_json_is_read_by_its_name_and_needs_no_package(self, monkeypatch):
        monkeypatch.setitem(sys.modules, "yaml", None)
        text = json.dumps({"turns": [{"say": "Hi."}]})
        assert parse_script(text, "turns.json").turns[0].say == "Hi."
        with pytest.raises(ScriptError, match=r"vivavoce\[testing\]"):
            parse_script(text, "turns.yaml")

    def test_arguments_may_be_no_json(self):
        script = parse_script('turns: [{call: {name: f, arguments: "{broken"}}]')
        assert script.turns[0].calls[0].text == "{broken"


class TestRefusals:
    @pytest.mark.parametrize(
        ("text", "said"),
        [
            (
                "turns:\n  - say: 5\n",
                "t.yaml, line 2 (turn 1): say: Expected `str | array | null`, got `int`.",
            ),
            (
                "turns:\n  - say: Hi.\n  - sya: Hi.\n",
                "t.yaml, line 3 (turn 2): Object contains unknown field `sya`.",
            ),
            (
                "turns:\n  - call:\n      name: f\n      arguments: 3\n",
                "t.yaml, line 4 (turn 1): call.arguments: Expected `str | object`, got `int`.",
            ),
            ("turns: []", "t.yaml, line 1: turns: Expected `array` of length >= 1."),
            ("", "t.yaml: Expected `object`, got `null`."),
            ("after: never\nturns: [{say: Hi.}]", "t.yaml, line 1: after: Invalid enum value 'never'."),
            (
                "turns:\n- delay_ms: -1\n  say: Hi.",
                "t.yaml, line 2 (turn 1): delay_ms: Expected `float` >= 0.0.",
            ),
            (
                "turns:\n  - say: Hi.\n    say: Ho.\n",
                "t.yaml, line 3 (turn 1): expected 'say' once, got it twice; the first is on line 2.",
            ),
            ("turns:\n  - say: [\n", "t.yaml, line 3: expected YAML, got something else: "),
            (
                "turns:\n  - expect: Hi\n",
                "(turn 1): expected something to `hear`, to `say`, to `call`, or an `error`, got none of them.",
            ),
            (
                "turns:\n  - error: no money\n    incomplete: content_filter\n",
                "t.yaml, line 2 (turn 1): expected an `error` or `incomplete`, got both: a response ends once.",
            ),
            (
                "turns:\n  - say: Hi.\n    expect:\n      user_matches: '('\n",
                "t.yaml, line 3 (turn 1): expect: user_matches: expected a regular expression, got one with an error",
            ),
            (
                "turns:\n  - say: Hi.\n    emit: [{text: x}]\n",
                'expected a `type` in every event to emit, got {"text": "x"}.',
            ),
        ],
    )
    def test_say_where_and_what(self, text, said):
        with pytest.raises(ScriptError) as refused:
            parse_script(text, "t.yaml")
        assert said in str(refused.value)

    def test_json_has_no_lines_but_turns(self):
        with pytest.raises(ScriptError, match=r"^t\.json \(turn 1\): say: Expected"):
            parse_script('{"turns": [{"say": 5}]}', "t.json")
        with pytest.raises(
            ScriptError, match=r"^t\.json: expected JSON, got something else: Expecting value"
        ):
            parse_script('{"turns": ]}', "t.json")
