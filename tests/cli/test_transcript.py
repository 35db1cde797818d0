import io
import json

import pytest
from rich.console import Console

from vivavoce.cli.transcript import Transcript
from vivavoce.client.conversation import Conversation
from vivavoce.protocol.codec import decode_server_event

SPEECH = {"type": "input_audio", "transcript": None}
KIND = "conversation.item.input_audio_transcription."


def event(kind, **fields):
    return decode_server_event(json.dumps({"type": kind, "event_id": "event_1", **fields}))


def user(item_id="u"):
    item = {"id": item_id, "type": "message", "role": "user", "content": [SPEECH]}
    return event("conversation.item.added", item=item)


def answer(status, words="", item_id="a"):
    content = [{"type": "output_audio", "transcript": words}] if words else []
    item = {"id": item_id, "type": "message", "role": "assistant", "status": status, "content": content}
    return event("conversation.item." + ("done" if words else "added"), item=item)


def transcribed(words, item_id="u"):
    usage = {"type": "duration", "seconds": 1}
    return event(KIND + "completed", item_id=item_id, content_index=0, transcript=words, usage=usage)


@pytest.fixture
def shown():
    """Return a function that shows what these events fold into, and returns all that was printed so far."""
    console = Console(file=io.StringIO(), width=80)
    conversation = Conversation()
    with Transcript(console) as transcript:

        def show(*events):
            for one in events:
                transcript.show(conversation, conversation.fold(one), "Listening.")
            return [line.rstrip() for line in console.file.getvalue().splitlines()]

        yield show


def test_what_is_settled_is_printed_once(shown):
    assert shown(user(), transcribed("How are [you]?")) == ["You     How are [you]?"]
    assert shown(answer("in_progress")) == ["You     How are [you]?"]
    assert shown(answer("completed", "Fine.")) == ["You     How are [you]?", "Answer  Fine."]
    assert len(shown(answer("completed", "Fine."))) == 2


def test_an_answer_waits_for_the_question(shown):
    assert shown(user(), answer("in_progress"), answer("completed", "Fine.")) == []
    assert shown(transcribed("How are you?")) == ["You     How are you?", "Answer  Fine."]


def test_a_transcript_that_never_comes_does_not_hold_up_the_rest(shown):
    answers = [answer("completed", f"Number {number}.", f"a{number}") for number in range(5)]
    assert shown(user(), *answers)[0] == "Answer  Number 0."


def test_an_answer_that_was_cut_is_marked(shown):
    truncated = event("conversation.item.truncated", item_id="a", content_index=0, audio_end_ms=100)
    answering = event(
        "response.output_audio_transcript.delta",
        item_id="a",
        response_id="r",
        output_index=0,
        content_index=0,
        delta="I am",
    )
    assert (
        shown(answer("in_progress"), answering, truncated, answer("incomplete", "I am"))[0]
        == "Answer  I am …"
    )


def test_a_terminal_shows_what_is_still_growing():
    console = Console(file=io.StringIO(), force_terminal=True, width=80)
    conversation = Conversation()
    with Transcript(console) as transcript:
        heard = conversation.fold(event(KIND + "delta", item_id="u", content_index=0, delta="How a"))
        transcript.show(conversation, heard, "Listening.")
        assert "How a" in console.file.getvalue()
        assert "Listening." in console.file.getvalue()


def test_what_is_open_at_the_end_is_not_lost():
    console = Console(file=io.StringIO(), width=80)
    conversation = Conversation()
    with Transcript(console) as transcript:
        heard = conversation.fold(event(KIND + "delta", item_id="u", content_index=0, delta="How a"))
        transcript.show(conversation, heard, "Listening.")
        assert console.file.getvalue() == ""
    assert console.file.getvalue() == "You     How a\n"


def test_notes_are_printed():
    console = Console(file=io.StringIO(), width=80)
    Transcript(console).note("The endpoint says: [no]")
    assert console.file.getvalue() == "The endpoint says: [no]\n"
