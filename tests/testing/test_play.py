import pytest

from vivavoce.engine.models.protocols import ArgumentsDelta, CallStarted, Function, Message, Prompt, TextDelta
from vivavoce.testing.play import MISMATCH, SCRIPT_ENDED, Cue, Heard, Play
from vivavoce.testing.script import Expect, FunctionCall, Script, Turn

LOOK = (Function("look"),)


def user(*texts, **prompt):
    return Prompt(tuple(Message("user", text) for text in texts), **prompt)


def outputs(*texts):
    return Prompt(
        (Message("user", "Look!"), Message("assistant"), *(Message("tool", text) for text in texts))
    )


def play(*turns, **script):
    return Play(Script(turns=[*turns], **script))


def said(cue):
    return "".join(piece.text for piece in cue.pieces)


class TestAnswers:
    def test_come_in_order(self):
        playing = play(Turn(say="One."), Turn(say="Two."))
        assert [said(playing.begin(user("?"))), playing.unplayed] == ["One.", 1]
        assert [said(playing.begin(user("?"))), playing.unplayed] == ["Two.", 0]

    @pytest.mark.parametrize(
        ("after", "then"), [("repeat", ["One.", "Two.", "One."]), ("last", ["Two.", "Two.", "Two."])]
    )
    def test_go_on_as_the_script_says(self, after, then):
        playing = play(Turn(say="One."), Turn(say="Two."), after=after)
        heard = [said(playing.begin(user("?"))) for _ in range(5)]
        assert heard == ["One.", "Two.", *then]

    def test_end_with_the_script(self):
        playing = play(Turn(say="One."))
        playing.begin(user("?"))
        cue = playing.begin(user("?"))
        assert cue.failure.code == SCRIPT_ENDED
        assert playing.problems == [cue.failure.message]
        assert "has 1 turn, and" in cue.failure.message

    def test_are_words_and_then_calls(self):
        turn = Turn(say="Let me look.", call=FunctionCall("look", {"at": 3}), delay_ms=20)
        cue = play(turn, delay_ms=5, pace_ms=7).begin(user("?", functions=LOOK))
        assert cue.pieces[:4] == (
            TextDelta("Let"),
            TextDelta(" me"),
            TextDelta(" look."),
            CallStarted("look"),
        )
        assert "".join(piece.text for piece in cue.pieces[4:]) == '{"at": 3}'
        assert all(isinstance(piece, ArgumentsDelta) for piece in cue.pieces[4:])
        assert (cue.delay_s, cue.pace_s) == (0.02, 0.007)


class TestExpectations:
    @pytest.mark.parametrize(
        ("expected", "prompt"),
        [
            ("Hello", user("Before.", "Hello")),
            (Expect(user_matches="time|hour"), user("What time is it?")),
            (Expect(output="21"), outputs("20", "21")),
            (Expect(output={"degrees": 21}), outputs('{ "degrees": 21 }')),
            (Expect(output_matches="^2.$"), outputs("21")),
            (Expect(), Prompt(())),
        ],
    )
    def test_are_met(self, expected, prompt):
        playing = play(Turn(say="Yes.", expect=expected))
        assert said(playing.begin(prompt)) == "Yes."
        assert playing.problems == []

    @pytest.mark.parametrize(
        ("expected", "prompt", "problem"),
        [
            ("Hello", user("Hallo"), "expected the user to say 'Hello', got 'Hallo'."),
            ("Hello", Prompt(()), "expected the user to say 'Hello', but the user has said nothing."),
            (
                Expect(user_matches="^time"),
                user("What time?"),
                "something that matches '^time', got 'What time?'.",
            ),
            (Expect(output="21"), outputs("20"), "output of a function to be '21', got '20'."),
            (Expect(output={"a": 1}), outputs("no json"), "to be {'a': 1}, got 'no json'."),
            (Expect(output_matches="2"), user("2"), "output of a function to match '2', but there is none."),
        ],
    )
    def test_that_are_not_met_fail_the_response(self, expected, prompt, problem):
        playing = play(Turn(say="First."), Turn(say="Yes.", expect=expected))
        playing.begin(prompt)
        failure = playing.begin(prompt).failure
        assert failure.code == MISMATCH
        assert failure.message.startswith("Turn 2 of the script: expected")
        assert problem in failure.message
        assert playing.problems == [failure.message]

    @pytest.mark.parametrize(
        ("prompt", "problem"),
        [
            (user("?"), "to declare the function 'look', got none."),
            (user("?", functions=(Function("see"),)), "to declare the function 'look', got see."),
            (user("?", functions=LOOK, tool_choice="none"), "tool_choice is 'none'."),
        ],
    )
    def test_nothing_is_called_that_a_session_does_not_allow(self, prompt, problem):
        failure = play(Turn(call=FunctionCall("look"))).begin(prompt).failure
        assert failure.message.endswith(problem)


class TestHearing:
    def test_an_utterance_is_heard_alike_each_time(self):
        playing = play(Turn(hear="One.", say="-"), Turn(hear="Two.", say="-"))
        assert [playing.hear(number).text for number in (1, 1, 2, 1)] == ["One.", "One.", "Two.", "One."]

    def test_the_script_says_what_no_turn_does(self):
        playing = play(Turn(say="-"), Turn(say="-", hear="Two."), hear="Anything.")
        assert [playing.hear(number).text for number in (1, 2, 3)] == ["Anything.", "Two.", "Anything."]

    def test_a_turn_may_be_several_utterances(self):
        playing = play(Turn(hear=["", "One."], say="-"), Turn(hear="Two.", say="-"))
        assert [playing.hear(number).text for number in (1, 2, 3)] == ["", "One.", "Two."]

    def test_what_a_turn_that_is_over_would_have_heard_is_left_out(self):
        playing = play(Turn(hear="One.", say="-"), Turn(hear="Two.", say="-"))
        playing.begin(user("written"))
        assert playing.hear(1).text == "Two."

    def test_repeats_with_the_script(self):
        playing = play(Turn(hear="One.", say="-"), after="repeat")
        heard = []
        for number in range(3):
            heard.append(playing.hear(number).text)
            playing.begin(user("?"))
        assert heard == ["One."] * 3

    def test_may_be_all_there_is_to_a_turn(self):
        playing = play(Turn(hear="One."), Turn(hear="Two."), Turn(say="-", hear="Three."))
        assert [playing.unplayed, playing.hear(1).text, playing.unplayed] == [3, "One.", 2]
        assert [playing.hear(2).text, playing.hear(3).text, playing.unplayed] == ["Two.", "Three.", 1]
        assert said(playing.begin(user("?"))) == "-"
        assert playing.unplayed == 0

    @pytest.mark.parametrize("after", ["error", "last", "repeat"])
    def test_is_no_answer(self, after):
        assert play(Turn(hear="One."), after=after).begin(user("?")).failure.code == SCRIPT_ENDED

    def test_may_fail(self):
        playing = play(Turn(say="-", fail_transcription=True), Turn(say="-", fail_transcription="too quiet"))
        assert playing.hear(1).failure == "The script fails this transcription."
        assert playing.hear(2) == Heard("Hello.", "too quiet")


def test_a_cue_of_nothing_is_an_empty_answer():
    assert Cue().pieces == ()
