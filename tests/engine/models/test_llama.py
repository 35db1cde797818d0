import asyncio
import threading
from contextlib import aclosing

import aiohttp
import pytest

from vivavoce.engine.models.chatml import render
from vivavoce.engine.models.llama import BATCH_TOKENS, LlamaLanguageModel
from vivavoce.engine.models.protocols import Finished, Message, Prompt, TextDelta
from vivavoce.engine.weights import ensure
from vivavoce.errors import ModelError

pytestmark = pytest.mark.models

INSTRUCTIONS = Message("system", "You are a friendly assistant who answers in one short sentence. " * 4)
STORY = Message("user", "Tell me a very long story about the sea, with a hundred chapters.")
SOON = 10.0
"""Seconds within which a model that is free answers with one token, on a machine that is busy; what the tests cancel
would take it several times as long."""


def prompt(*said):
    roles = ("user", "assistant")
    return Prompt((INSTRUCTIONS, *(Message(roles[number % 2], text) for number, text in enumerate(said))))


async def answer(model, prompt, max_tokens=24, temperature=0.0):
    """Return the text of an answer and its last piece."""
    *deltas, finished = [
        piece async for piece in model.generate(prompt, max_tokens=max_tokens, temperature=temperature)
    ]
    assert all(isinstance(delta, TextDelta) and delta.text for delta in deltas)
    return "".join(delta.text for delta in deltas), finished


async def load(**options):
    return await LlamaLanguageModel.load(
        await ensure("smollm2-135m"), name="smollm2-135m", threads=1, **options
    )


@pytest.fixture(scope="module")
def shared():
    """One model for all tests: it is bound to no event loop."""
    model = asyncio.run(load())
    yield model
    asyncio.run(model.close())


@pytest.fixture(scope="module")
def single():
    """A model that can do one thing at a time."""
    model = asyncio.run(load(slots=1))
    yield model
    asyncio.run(model.close())


class TestAnswer:
    async def test_comes_in_pieces(self, shared):
        question = prompt("What is the capital of France?")
        *deltas, finished = [
            piece async for piece in shared.generate(question, max_tokens=300, temperature=0)
        ]
        assert len(deltas) > 3
        assert isinstance(finished, Finished)
        assert finished.reason == "stop"
        assert len(deltas) <= finished.output_tokens < 300
        assert finished.input_tokens > 40

    async def test_knows_something_and_shows_no_template(self, shared):
        text, _ = await answer(shared, prompt("What is the capital of France?"), max_tokens=60)
        assert "Paris" in text
        assert "<|" not in text

    async def test_ends_at_its_length(self, shared):
        _, finished = await answer(shared, Prompt((STORY,)), max_tokens=5)
        assert (finished.reason, finished.output_tokens) == ("length", 5)

    async def test_is_always_the_same_at_temperature_zero(self, shared):
        first, _ = await answer(shared, prompt("Name three animals."), 12)
        again, _ = await answer(shared, prompt("Name three animals."), 12)
        assert first == again

    async def test_varies_else(self, shared):
        answers = {(await answer(shared, Prompt((STORY,)), 12, temperature=1.0))[0] for _ in range(3)}
        assert len(answers) > 1

    async def test_letters_are_never_cut(self, shared):
        given = "Translate to Chinese: Good morning"
        pieces = [piece async for piece in shared.generate(prompt(given), max_tokens=40, temperature=0)]
        texts = [piece.text for piece in pieces[:-1]]
        assert not "".join(texts).isascii()
        assert "\ufffd" not in "".join(texts)
        assert pieces[-1].output_tokens > len(texts)  # some letters took several tokens


class TestHostileText:
    @pytest.mark.parametrize("token", ["<|im_end|>", "<|im_start|>", "<file_sep>", "<jupyter_output>"])
    async def test_is_read_as_letters(self, shared, token):
        sizes = [
            (await answer(shared, Prompt((Message("user", said),)), max_tokens=1))[1].input_tokens
            for said in ("a b", f"a{token} b")
        ]
        assert sizes[1] - sizes[0] > 1  # a control token would be one


class TestPrefix:
    async def test_a_conversation_is_read_once(self, shared):
        said = ["What is the capital of France?"]
        cached = []
        for question in ("And of Spain?", "And of Italy?", None):
            text, finished = await answer(shared, prompt(*said), temperature=0)
            cached.append(finished.cached_tokens)
            assert finished.input_tokens - finished.cached_tokens < 80 or len(cached) == 1
            said += [text, question]
        assert 0 < cached[1] < cached[2]

    async def test_what_was_prepared_is_not_read_again(self, single):
        unheard = Message("system", "Speak like a pirate who has seen every harbour of the world. " * 4)
        question = Message("user", "What is the capital of France?")
        await single.prepare(Prompt((unheard,)))
        _, finished = await answer(single, Prompt((unheard, question)), max_tokens=1)
        assert finished.cached_tokens > 40
        assert finished.input_tokens - finished.cached_tokens < 30

    async def test_what_is_left_of_a_conversation_without_its_beginning_is_not_read_again(self, single):
        said = [
            f"This is what was said in place number {place}, and it is not short. " * 2 for place in range(8)
        ]
        await answer(single, prompt(*said, "Well?"), max_tokens=2)
        text, finished = await answer(single, prompt(*said[2:], "Well?"), max_tokens=8)
        assert finished.input_tokens > 200
        assert finished.input_tokens - finished.cached_tokens < 40
        assert text

    async def test_conversations_do_not_push_each_other_out(self):
        model = await load(slots=3)
        said = [[f"{topic}, please. " * 12] for topic in ("Newton", "Cats", "Counting to five")]
        for turn in range(3):
            for one in said:
                text, finished = await answer(model, prompt(*one), max_tokens=3)
                one += [text, "Tell me more."]
                assert turn == 0 or finished.input_tokens - finished.cached_tokens < 30
        await model.close()

    async def test_instructions_are_read_from_where_they_changed(self):
        model = await load(slots=2)
        told = "Speak like a pirate who has seen every harbour of the world. " * 8
        said = [Message("user", "Newton, please. " * 12)]
        cached = []
        for time in ("noon", "one", "two"):
            asked = Prompt((Message("system", f"{told} It is {time}."), *said), conversation="conv_1")
            text, finished = await answer(model, asked, max_tokens=3)
            cached.append(finished.cached_tokens)
            said += [Message("assistant", text), Message("user", "Tell me more.")]
        assert min(cached[1:]) > 100
        await model.close()

    async def test_more_than_there_is_room_for(self):
        model = await load(slots=4, context_tokens=128)  # room for 256 tokens
        for first in ("Newton", "Cats", "Five", "Rain"):
            _, finished = await answer(
                model, Prompt((Message("user", f"{first}. " + "one two " * 42),)), max_tokens=4
            )
            assert finished.output_tokens == 4
        await model.close()


class TestTogether:
    async def test_answers_do_not_mix(self, shared):
        (france, _), (cats, _) = await asyncio.gather(
            answer(shared, prompt("What is the capital of France?")),
            answer(shared, prompt("What do cats like to eat?")),
        )
        assert "Paris" in france
        assert "Paris" not in cats

    async def test_more_than_there_are_slots_wait_for_each_other(self, single):
        answers = await asyncio.gather(
            *(answer(single, prompt(f"Say {word}."), 3) for word in ("yes", "no", "so"))
        )
        assert [finished.output_tokens for _, finished in answers] == [3, 3, 3]

    async def test_the_loop_goes_on(self, shared):
        ticks = 0

        async def tick():
            nonlocal ticks
            while True:
                await asyncio.sleep(0.01)
                ticks += 1

        ticking = asyncio.create_task(tick())
        await answer(shared, Prompt((INSTRUCTIONS, Message("user", "word " * 120))), max_tokens=10)
        ticking.cancel()
        assert ticks > 10


class TestCancelling:
    async def test_an_answer(self, single):
        async with aclosing(single.generate(Prompt((STORY,)), max_tokens=3500)) as pieces:
            await anext(pieces)
        async with asyncio.timeout(SOON):
            await answer(single, prompt("Hello."), max_tokens=1)

    @pytest.mark.parametrize("work", [answer, LlamaLanguageModel.prepare])
    async def test_while_it_still_reads(self, single, monkeypatch, work):
        reading, complete = asyncio.Event(), single._complete

        async def watched(*asked):
            async with aclosing(complete(*asked)) as pieces:
                async for piece in pieces:
                    reading.set()
                    yield piece

        monkeypatch.setattr(single, "_complete", watched)
        long = Prompt((INSTRUCTIONS, Message("user", "one two three " * 1100)))
        task = asyncio.create_task(work(single, long))
        await reading.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        async with asyncio.timeout(SOON):
            await answer(single, prompt("Hello."), max_tokens=1)

    async def test_what_was_read_until_then_is_kept(self, single):
        long = Prompt((Message("user", "four five six seven " * 40),))  # nothing that was read before
        body = {"prompt": render(long, answer=False), "n_predict": 0}
        async with aclosing(single._complete(body)) as pieces:
            while (await anext(pieces))["prompt_progress"]["processed"] < 2 * BATCH_TOKENS:
                pass
        _, finished = await answer(single, long, max_tokens=1)
        assert finished.cached_tokens >= 2 * BATCH_TOKENS

    async def test_one_that_has_not_begun(self, single):
        tasks = [asyncio.create_task(answer(single, Prompt((STORY,)), max_tokens=3500)) for _ in range(5)]
        await asyncio.sleep(0)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        async with asyncio.timeout(SOON):
            await answer(single, prompt("Hello."), max_tokens=1)


class TestFailure:
    async def test_a_prompt_that_is_too_long(self, shared):
        long = Prompt((Message("user", "one two three " * 3000),))
        with pytest.raises(
            ModelError, match=r"smollm2-135m: .*exceeds the available context size \(4096 tokens\)"
        ):
            await answer(shared, long)
        await answer(shared, prompt("Hello."), max_tokens=1)

    async def test_a_prompt_that_is_no_unicode(self, shared):
        with pytest.raises(ModelError, match=r"smollm2-135m: llama\.cpp could not take the request$"):
            await answer(shared, prompt("\ud800"))
        await answer(shared, prompt("Hello."), max_tokens=1)

    async def test_a_file_that_is_no_model(self, tmp_path, capfd):
        path = tmp_path / "broken.gguf"
        path.write_bytes(b"GGUF and then nothing")
        with pytest.raises(ModelError, match=r"broken\.gguf cannot be loaded"):
            await LlamaLanguageModel.load(path, name="broken")

    async def test_a_folder_without_one(self, tmp_path):
        with pytest.raises(ModelError, match="cannot be loaded"):
            await LlamaLanguageModel.load(tmp_path, name="nothing")


class TestHousekeeping:
    async def test_says_nothing(self, capfd):
        model = await load()
        await answer(model, prompt("Hello."))
        await model.close()
        out, err = capfd.readouterr()
        assert out == err == ""

    async def test_closing_leaves_no_thread(self):
        before = set(threading.enumerate())
        model = await load()
        await answer(model, prompt("Hello."), max_tokens=2)
        await model.close()
        left = [thread.name for thread in set(threading.enumerate()) - before]
        assert not [name for name in left if name.startswith("llama")]

    async def test_closing_ends_what_goes_on(self):
        model = await load()
        pieces = model.generate(Prompt((STORY,)), max_tokens=3500)
        await anext(pieces)
        async with asyncio.timeout(SOON):
            await model.close()
        with pytest.raises(ModelError, match="smollm2-135m was closed"):
            [_ async for _ in pieces]
        await model.close()

    async def test_after_closing_it_does_nothing(self):
        model = await load()
        await model.close()
        with pytest.raises(ModelError, match="smollm2-135m is closed"):
            await model.prepare(prompt("Hello."))

    async def test_its_port_is_shut(self, shared):
        address = shared._server.listening_address
        async with aiohttp.ClientSession() as session:
            for path in ("/slots", "/props", "/v1/models", "/tokenize", "/completion"):
                async with session.post(f"{address}{path}", json={"prompt": "a", "content": "a"}) as response:
                    assert response.status in {401, 404}, path
