"""Language models in GGUF files, run by llama.cpp through ``xllamacpp``.

llama.cpp's own server keeps a few *slots*, each with what it computed for the last prompt that went through it;
a prompt goes to the slot that `slots` chooses, and only what is new has to be read. It runs in threads of its own
and calls back with every piece, and on the way through a long prompt after every batch; the answer to such a call
says whether to go on. That is how a generation is cancelled: it ends after the batch or the token that it is at.

Where functions may be called, a grammar tells the sampler what can be written (`calling`). llama.cpp goes on without
one that it cannot read, so what comes is read with care (`call_reader`).

The server also listens on a port of this machine, which cannot be turned off. It is shut with a key that nobody
is told.
"""

import asyncio
import errno
import os
import secrets
import threading
from collections.abc import AsyncGenerator
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, suppress
from pathlib import Path
from typing import Any, Self

import xllamacpp

from vivavoce.engine.models.call_reader import CallReader
from vivavoce.engine.models.calling import CALL_BIAS, MARK, RESULT_BIAS, examples, grammar
from vivavoce.engine.models.chatml import END, render
from vivavoce.engine.models.protocols import Finished, Function, Generated, Prompt, TextDelta
from vivavoce.engine.models.schema import check_function
from vivavoce.engine.models.slots import Slots
from vivavoce.engine.models.threads import language_model_threads
from vivavoce.errors import ModelError

__all__ = ["BATCH_TOKENS", "LlamaLanguageModel"]

BATCH_TOKENS = 32
"""Prompt tokens computed in one go. A cancellation is noticed between batches, when the next one may already have
begun: 1.5 billion parameters on one thread are free again after 0.7 to 1.5 seconds. In processor time 16 are read 8 %
slower, and are cancelled in two thirds of the time; 64 are read 8 % faster; 128 delay the next answer by 7 seconds."""

MOVED_TOKENS = 32
"""The shortest run of tokens that is moved forward where a conversation has lost its oldest items, rather than read
again: of 650 tokens all but one, in 0.1 s instead of 5 (SmolLM2, one thread of a busy machine)."""

FULL_CONTEXTS = 2
"""How many prompts of the full length fit at once. All slots share this room; where it runs out, what is longest
unused goes."""

_Body = dict[str, Any]
_Piece = dict[str, Any]


class LlamaLanguageModel:
    """A chat model. Make it with `load`."""

    def __init__(self, server: xllamacpp.Server, *, name: str, context_tokens: int, slots: int) -> None:
        self._server = server
        self._name = name
        self._threads = ThreadPoolExecutor(2 * slots, thread_name_prefix="llama")
        self._slots = Slots(slots)
        self._closing = threading.Event()
        self.context_tokens = context_tokens
        self.conversations = slots

    @classmethod
    async def load(
        cls,
        path: Path,
        *,
        name: str,
        context_tokens: int = 4096,
        slots: int = 8,
        threads: int | None = None,
    ) -> Self:
        """Load a GGUF file, or the one in a folder.

        As many conversations as there are ``slots`` are kept and can be answered at once, each of at most
        ``context_tokens``; for ``threads`` see `language_model_threads`. Raises `ModelError`.
        """
        threads = threads or language_model_threads(os.cpu_count() or 1)
        try:
            server = await asyncio.to_thread(_server, path, context_tokens, slots, threads)
        except (RuntimeError, OSError) as error:
            raise ModelError(f"{name}: {path} cannot be loaded: {error}") from error
        return cls(server, name=name, context_tokens=context_tokens, slots=slots)

    @property
    def name(self) -> str:
        """The name of the weights."""
        return self._name

    def check(self, function: Function) -> None:
        """Raise `ValueError` for a function whose schema has no grammar."""
        check_function(function)

    async def prepare(self, prompt: Prompt) -> None:
        """Read a prompt ahead of time."""
        body = {"prompt": self._render(prompt, answer=False), "n_predict": 0}
        async with aclosing(self._complete(body, _opening(prompt), prompt.conversation)) as pieces:
            async for _ in pieces:
                pass

    async def generate(
        self, prompt: Prompt, *, max_tokens: int, temperature: float = 0.4
    ) -> AsyncGenerator[Generated | Finished, None]:
        """Stream an answer; the last thing yielded is `Finished`."""
        body = {
            "prompt": self._render(prompt, answer=True),
            "n_predict": max_tokens,
            "temperature": temperature,
            # The usual guards of small models: no unlikely words, no going round in circles.
            "min_p": 0.05,
            "top_p": 0.95,
            "repeat_penalty": 1.1,
            "stop": [END],
        }
        reader = None
        if prompt.functions or any(message.calls for message in prompt.messages):
            body["grammar"] = grammar(prompt)
            reader = CallReader(must_call=bool(prompt.functions) and prompt.tool_choice == "required")
            answered = prompt.messages and prompt.messages[-1].role == "tool"
            body["logit_bias"] = [[MARK, RESULT_BIAS if answered else CALL_BIAS]]
            body["repeat_penalty"] = 1.0  # what is called has the words of what was said and told
        async with aclosing(self._complete(body, _opening(prompt), prompt.conversation)) as pieces:
            async for piece in pieces:
                choice = piece["choices"][0]
                if reader is not None:
                    for news in reader.take(choice["text"]):
                        yield news
                elif choice["text"]:
                    yield TextDelta(choice["text"])
                if choice["finish_reason"] is not None:
                    if reader is not None and choice["finish_reason"] != "length":
                        reader.finish()
                    usage = piece["usage"]
                    yield Finished(
                        reason="length" if choice["finish_reason"] == "length" else "stop",
                        input_tokens=usage["prompt_tokens"],
                        output_tokens=usage["completion_tokens"],
                        cached_tokens=usage["prompt_tokens_details"]["cached_tokens"],
                    )

    async def close(self) -> None:
        """Stop what the model still does, and free it. Closing twice does nothing more."""
        self._closing.set()
        await asyncio.to_thread(self._threads.shutdown, cancel_futures=True)
        server, self._server = self._server, None
        await asyncio.to_thread(_free, [server])

    def _render(self, prompt: Prompt, *, answer: bool) -> str:
        try:
            return render(prompt, answer=answer)
        except ValueError as error:
            raise ModelError(f"{self._name}: {error}") from error

    async def _complete(
        self, body: _Body, opening: int = 1, conversation: str = ""
    ) -> AsyncGenerator[_Piece, None]:
        """Run a completion in a thread of its own; leaving early stops it."""
        if self._closing.is_set():
            raise ModelError(f"{self._name} is closed")
        loop = asyncio.get_running_loop()
        pieces: asyncio.Queue[_Piece | None] = asyncio.Queue()  # bounded by n_predict and the prompt
        stop = threading.Event()

        def hear(piece: _Piece) -> bool:
            with suppress(RuntimeError):  # the loop is closed: nobody hears it any more
                loop.call_soon_threadsafe(pieces.put_nowait, piece)
            return stop.is_set() or self._closing.is_set()

        # Where the slot is still at the last batch of something that was cancelled, the server waits for it.
        slot = self._slots.take(body["prompt"], loop.time(), opening, conversation)
        moved = MOVED_TOKENS if self._slots.moved(slot) else 0
        request = {
            **body,
            "id_slot": slot,
            "n_cache_reuse": moved,
            "stream": True,
            "cache_prompt": True,
            "return_progress": True,
        }
        running = loop.run_in_executor(self._threads, self._server.handle_completions, request, hear)
        running.add_done_callback(lambda _: pieces.put_nowait(None))
        answer = ""
        try:
            while (piece := await pieces.get()) is not None:
                if "error" in piece:
                    raise ModelError(f"{self._name}: {piece['error']['message']}")
                answer += piece["choices"][0]["text"]
                yield piece
            self._check(running)
            self._slots.answered(slot, answer)
        finally:
            self._slots.leave(slot, loop.time())
            stop.set()
            running.cancel()  # in case it never started

    def _check(self, running: asyncio.Future[object]) -> None:
        """Raise `ModelError` when a completion did not come to its end."""
        if self._closing.is_set():
            raise ModelError(f"{self._name} was closed")
        if (error := running.exception()) is not None:
            # Its own message may quote the prompt, which is nothing for a log.
            raise ModelError(f"{self._name}: llama.cpp could not take the request") from error


def _opening(prompt: Prompt) -> int:
    """Return how many messages of a prompt are the same in every conversation with these instructions and functions."""
    return 1 + (len(examples(prompt.functions)) if prompt.functions else 0)


def _server(path: Path, context_tokens: int, slots: int, threads: int) -> xllamacpp.Server:
    if path.is_dir():
        path = next(path.glob("*.gguf"), path / "*.gguf")
    if not path.is_file():
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
    params = xllamacpp.CommonParams()
    params.model.path = str(path)
    params.verbosity = 1  # errors
    # It rearranges most weights for the processor: were the file mapped too, they would be in memory twice.
    params.load_mode = xllamacpp.llama_load_mode.LLAMA_LOAD_MODE_NONE
    params.n_ctx = context_tokens * min(slots, FULL_CONTEXTS)
    params.n_parallel = slots
    params.kv_unified = True
    params.kv_unified_per_slot = context_tokens
    params.n_batch = params.n_ubatch = BATCH_TOKENS
    # On processors it is no flash: after 3,000 tokens SmolLM2 writes in 49 ms a token with it, in 36 ms without.
    params.flash_attn_type = xllamacpp.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_DISABLED
    params.cache_ram_mib = 0  # prompts are kept in their slots, and nowhere else
    for cpu in (params.cpuparams, params.cpuparams_batch):
        cpu.n_threads = threads
        cpu.poll = 0  # sleep, rather than spin, while there is nothing to do
    params.api_keys = [secrets.token_urlsafe(32)]
    params.endpoint_slots = params.ui = False
    return xllamacpp.Server(params)


def _free(servers: list[Any]) -> None:
    servers.clear()
