"""What a tool is, and what is told about a call of it."""

import asyncio
import inspect
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import msgspec

from vivavoce.protocol.tools import FunctionTool

__all__ = [
    "APPROVAL_SECONDS",
    "BACKGROUND_SECONDS",
    "NAME",
    "RESULT_CHARACTERS",
    "TOOL_SECONDS",
    "Approval",
    "Progress",
    "Tool",
    "ToolCall",
    "ToolContext",
    "ToolProgress",
    "ToolSource",
    "called",
    "read_object",
    "result_text",
    "shortened",
]

TOOL_SECONDS = 30.0
"""How long a tool may take while a listener waits for the answer."""

BACKGROUND_SECONDS = 600.0
"""How long a tool may take that works in the background."""

APPROVAL_SECONDS = 60.0
"""How long a question whether a call may be made waits for its answer; after that, the answer is no."""

RESULT_CHARACTERS = 8_000
"""How much of a result the model is told, about 2,000 tokens: more than anyone will listen to, and it is read anew
with each response."""

NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
"""What the protocol allows as the name of a function."""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call that a model made."""

    call_id: str
    name: str
    arguments: dict[str, Any]


@dataclass(frozen=True, slots=True)
class ToolProgress:
    """How far a call is."""

    call: ToolCall
    message: str = ""
    share: float | None = None
    """From 0 to 1, where it is known."""


Approval = Callable[[ToolCall], Awaitable[bool] | bool]
"""Says whether a call may be made: asked before every call of a tool that wants it."""

Progress = Callable[[ToolProgress], None]
"""Is told how far calls are, in the event loop."""


@dataclass(frozen=True, slots=True)
class ToolContext:
    """For whom calls are made. A tool that asks for one, by its type, is told of the call at hand as well."""

    user: str = ""
    """Who speaks, where speakers are told apart: what is remembered of one is not told to another."""
    progress: Progress | None = None
    call: ToolCall | None = None

    def report(self, message: str = "", share: float | None = None) -> None:
        """Tell how far the call at hand is, and which share of it, from 0 to 1, if that is known."""
        if self.progress is not None and self.call is not None:
            self.progress(ToolProgress(self.call, message, share))

    def at(self, call: ToolCall) -> "ToolContext":
        """Return the context of one call; its reports may come from any thread."""
        if self.progress is None:
            return replace(self, call=call)
        loop, progress = asyncio.get_running_loop(), self.progress

        def tell(news: ToolProgress) -> None:
            loop.call_soon_threadsafe(progress, news)

        return replace(self, call=call, progress=tell)


def read_object(written: str) -> dict[str, Any]:
    """Read the arguments of a call as any JSON object; raises `ValueError` for anything else."""
    try:
        return msgspec.json.decode(written or "{}", type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise ValueError(f"Expected the arguments as a JSON object: {error}.") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """Something that a model may call.

    Raises `TypeError` for a name that the protocol does not allow, and for limits that are none.
    """

    name: str
    """Up to 64 letters, digits, underscores and hyphens."""
    description: str = ""
    """What it is for, as the model is told."""
    parameters: dict[str, Any]
    """JSON schema of the arguments, an object."""
    call: Callable[[dict[str, Any], ToolContext], Awaitable[object]]
    """Does it. What it returns is told to the model (`result_text`), and so is what it raises."""
    read: Callable[[str], dict[str, Any]] = read_object
    """Makes arguments of what the model wrote; a `ValueError` says, for the model to read, why they do not fit."""
    background: bool = False
    """Whether the conversation goes on while it works; its result is told when it is there."""
    seconds: float | None = None
    """How long it may take; `TOOL_SECONDS`, or `BACKGROUND_SECONDS` in the background, if None."""
    approve: Approval | None = None
    """Who is asked whether a call may be made; nobody, if None."""
    characters: int = RESULT_CHARACTERS
    """How much of a result is told; the rest is cut off."""

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.name):
            raise TypeError(
                f"Expected a name of up to 64 letters, digits, underscores and hyphens, and got {self.name!r}."
            )
        if self.timeout <= 0 or self.characters <= 0:
            raise TypeError(
                f"{self.name}: expected limits above 0, and got {self.timeout:g} s and {self.characters} characters."
            )

    @property
    def timeout(self) -> float:
        """How many seconds it may take."""
        if self.seconds is not None:
            return self.seconds
        return BACKGROUND_SECONDS if self.background else TOOL_SECONDS

    @property
    def definition(self) -> FunctionTool:
        """What the session is told of it."""
        return FunctionTool(name=self.name, description=self.description, parameters=self.parameters)


class ToolSource(Protocol):
    """Tools that may change, such as those of a server elsewhere."""

    @property
    def tools(self) -> Sequence[Tool]:
        """The tools as they are now."""
        ...

    def watch(self, changed: Callable[[], None]) -> Callable[[], None]:
        """Call ``changed`` whenever ``tools`` are others; what this returns ends it."""
        ...


async def called(function: Callable[..., Any], *args: Any, **given: Any) -> Any:
    """Call a function and wait for its result; one that is not asynchronous runs in a thread."""
    inner = inspect.unwrap(function)
    if inspect.iscoroutinefunction(inner) or inspect.iscoroutinefunction(getattr(inner, "__call__", None)):  # noqa: B004
        return await function(*args, **given)
    result = await asyncio.to_thread(function, *args, **given)
    return await result if inspect.isawaitable(result) else result


def result_text(result: object) -> str:
    """Return a result as a model reads it: text as it stands, anything else as JSON, or as Python shows it.

    It is what any JSON can carry: half a surrogate pair becomes a question mark.
    """
    text = result if isinstance(result, str) else msgspec.json.encode(result, enc_hook=repr).decode()
    return text.encode("utf-8", "replace").decode()


def shortened(text: str, characters: int) -> str:
    """Return a text of at most so many characters, and a note of what is missing, if anything is."""
    if len(text) <= characters:
        return text
    return (
        f"{text[:characters]}\n[Cut off here: this is the beginning, {characters} of {len(text)} characters.]"
    )
