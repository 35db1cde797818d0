"""Loading the parts of an engine: what was chosen for each becomes a model that has answered once.

The models bring large libraries along, which only an engine that really uses them should import.
"""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Protocol, TypeVar

from vivavoce.engine.choices import Choice, Http, HubFiles, Known, Local, Wyoming
from vivavoce.engine.models.protocols import (
    EndOfTurn,
    LanguageModel,
    Message,
    Prompt,
    Recogniser,
    Synthesiser,
    VoiceActivity,
)
from vivavoce.engine.session.config import DEFAULT_INSTRUCTIONS
from vivavoce.engine.weights import CATALOGUE, KOKORO, WHISPER, Progress, ensure, ensure_from_hub
from vivavoce.errors import ModelError

__all__ = [
    "CONTEXT_TOKENS",
    "context_tokens",
    "fetch",
    "load_end_of_turn",
    "load_language_model",
    "load_recogniser",
    "load_synthesiser",
    "load_voice_activity",
]

CONTEXT_TOKENS = 4096
"""What a language model can have in mind at once; as much as Ollama gives every model unless it is told otherwise."""


SMALL_CONTEXT_TOKENS = {"smollm2-135m": 1536}
"""Less for a model whose every token costs twice as much behind 3,000 others, and who makes little of them."""


def context_tokens(choice: Choice) -> int:
    """Return what a language model is given to have in mind."""
    return SMALL_CONTEXT_TOKENS.get(str(choice), CONTEXT_TOKENS)


class _Model(Protocol):
    async def warm_up(self) -> None: ...
    async def close(self) -> None: ...


M = TypeVar("M", bound=_Model)


async def fetch(part: str, choice: Choice, progress: Callable[[Progress], None]) -> Path | None:
    """Return where the files of a part's model are, fetching those that are missing; None for one that needs none.

    Raises `WeightsError`.
    """
    match choice:
        case Known(name):
            return await ensure(name, progress=progress) if name in CATALOGUE else None
        case HubFiles(repo, file, revision):
            layout = KOKORO if part == "synthesiser" else WHISPER
            folder = await ensure_from_hub(repo, file, layout=layout, revision=revision, progress=progress)
            return folder / file if file else folder
        case Local(path):
            return path
    return None


async def load_language_model(choice: Choice, files: Path | None, stack: AsyncExitStack) -> LanguageModel:
    """Load what writes answers; ``stack`` closes it. Raises `ModelError`, as do all the others."""
    if isinstance(choice, Http):
        from vivavoce.engine.models.http_server import HttpServer  # noqa: PLC0415
        from vivavoce.engine.models.openai_http import HttpLanguageModel  # noqa: PLC0415

        server = HttpServer(choice.url, model=choice.model, key=choice.key)
        return await _answering(HttpLanguageModel(server), stack)
    from vivavoce.engine.models.llama import LlamaLanguageModel  # noqa: PLC0415

    path = _files(choice, files)
    if not isinstance(choice, Known):
        await asyncio.to_thread(_expect_chatml, choice, path)
    model = await LlamaLanguageModel.load(path, name=str(choice), context_tokens=context_tokens(choice))
    stack.push_async_callback(model.close)
    await model.prepare(Prompt((Message("system", DEFAULT_INSTRUCTIONS),)))
    return model


async def load_recogniser(choice: Choice, files: Path | None, stack: AsyncExitStack) -> Recogniser:
    """Load what understands speech."""
    match choice:
        case Http(url, model, _, key):
            from vivavoce.engine.models.http_server import HttpServer  # noqa: PLC0415
            from vivavoce.engine.models.openai_http import HttpRecogniser  # noqa: PLC0415

            # Who wants a key wants to be paid, and for partial transcripts many times.
            server = HttpServer(url, model=model, key=key)
            return await _answering(HttpRecogniser(server, partials=not key), stack)
        case Wyoming(host, port):
            from vivavoce.engine.models.wyoming import WyomingRecogniser  # noqa: PLC0415
            from vivavoce.engine.models.wyoming_wire import WyomingServer  # noqa: PLC0415

            return await _answering(WyomingRecogniser(WyomingServer(host, port)), stack)
        case Known("moonshine-tiny-en"):
            from vivavoce.engine.models.moonshine import MoonshineRecogniser  # noqa: PLC0415

            return await _answering(
                await asyncio.to_thread(MoonshineRecogniser, _files(choice, files)), stack
            )
    from vivavoce.engine.models.whisper import WhisperRecogniser  # noqa: PLC0415

    return await _answering(await asyncio.to_thread(WhisperRecogniser, _files(choice, files)), stack)


async def load_synthesiser(choice: Choice, files: Path | None, stack: AsyncExitStack) -> Synthesiser:
    """Load what speaks."""
    match choice:
        case Http(url, model, voice, key):
            from vivavoce.engine.models.http_server import HttpServer  # noqa: PLC0415
            from vivavoce.engine.models.openai_http import HttpSynthesiser  # noqa: PLC0415

            server = HttpServer(url, model=model, key=key)
            return await _answering(HttpSynthesiser(server, voice=voice), stack)
        case Wyoming(host, port, voice):
            from vivavoce.engine.models.wyoming import WyomingSynthesiser  # noqa: PLC0415
            from vivavoce.engine.models.wyoming_wire import WyomingServer  # noqa: PLC0415

            return await _answering(WyomingSynthesiser(WyomingServer(host, port), voice=voice), stack)
        case Known():
            from vivavoce.engine.models.hibari import HibariSynthesiser  # noqa: PLC0415

            return await _answering(await asyncio.to_thread(HibariSynthesiser), stack)
    from vivavoce.engine.models.kokoro import KokoroSynthesiser  # noqa: PLC0415

    return await _answering(await asyncio.to_thread(KokoroSynthesiser, _files(choice, files)), stack)


async def load_voice_activity(stack: AsyncExitStack) -> VoiceActivity:
    """Load what tells speech from everything else."""
    from vivavoce.engine.models.silero import SileroVoiceActivity  # noqa: PLC0415

    return await _answering(await asyncio.to_thread(SileroVoiceActivity), stack)


async def load_end_of_turn(choice: Known, files: Path | None, stack: AsyncExitStack) -> EndOfTurn:
    """Load what judges pauses."""
    from vivavoce.engine.models.smart_turn import SmartTurn  # noqa: PLC0415

    return await _answering(await asyncio.to_thread(SmartTurn, _files(choice, files)), stack)


async def _answering(model: M, stack: AsyncExitStack) -> M:
    """Let a model answer once; whatever comes of it, ``stack`` closes it."""
    stack.push_async_callback(model.close)
    await model.warm_up()
    return model


def _expect_chatml(choice: Choice, path: Path) -> None:
    """Raise `ModelError` for a model that was trained on another template than the one that our prompts have."""
    from vivavoce.engine.models.chatml import END  # noqa: PLC0415
    from vivavoce.engine.models.gguf import chat_template  # noqa: PLC0415

    if END not in chat_template(path):
        raise ModelError(
            f"{choice}: expected a chat model with the template ChatML, such as Qwen's and SmolLM's, and this one "
            "has another or none. Serve it with Ollama or llama.cpp, and give its address instead: "
            "http://host:port/v1#model."
        )


def _files(choice: Choice, files: Path | None) -> Path:
    if files is None:
        raise ModelError(f"{choice} has no files here, and needs some.")
    return files
