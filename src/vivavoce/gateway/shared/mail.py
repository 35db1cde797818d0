"""Messages between the processes, by Redis' channels: each process listens at one of its own.

Who is not there any more does not listen, and that is known at once: how many heard a message is what Redis answers.
"""

import asyncio
import logging
import os
import secrets
import socket
from collections.abc import Awaitable, Callable
from typing import Literal

import msgspec
from redis.exceptions import RedisError

from vivavoce.errors import LinkError
from vivavoce.gateway.shared.link import PREFIX, Link

__all__ = ["Mail", "Question", "new_name"]

_log = logging.getLogger(__name__)

ANSWER_SECONDS = 5.0
"""How long another process has for its answer."""

LISTEN_SECONDS = 10.0
"""How long is listened at a time."""

RETRY_SECONDS = 0.5
"""After which is listened again when Redis was gone."""

Kind = Literal["yield", "hang_up"]


class Question(msgspec.Struct, tag="question"):
    """What one process asks of another."""

    kind: Kind
    what: str
    sender: str
    number: int


class _Answer(msgspec.Struct, tag="answer"):
    number: int
    done: bool


_DECODER = msgspec.msgpack.Decoder(Question | _Answer)


def new_name() -> str:
    """Make the name of a process: where it runs, for people, and something that nobody else has."""
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"


class Mail:
    """What this process is asked and asks; ``answer`` does what it is asked, and tells whether it could."""

    def __init__(self, link: Link, name: str, answer: Callable[[Question], Awaitable[bool]]) -> None:
        self._link = link
        self._name = name
        self._answer = answer
        self._asked: dict[int, asyncio.Future[bool]] = {}
        self._number = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self.listening = asyncio.Event()
        """Set while it is listened."""

    async def ask(self, process: str, kind: Kind, what: str) -> bool | None:
        """Ask another process; None where it is gone, or says nothing. Raises `LinkError`."""
        self._number = number = self._number + 1
        answer: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._asked[number] = answer
        try:
            if not await self._send(process, Question(kind, what, self._name, number)):
                return None
            async with asyncio.timeout(ANSWER_SECONDS):
                return await answer
        except TimeoutError:
            return None
        finally:
            self._asked.pop(number, None)

    async def run(self) -> None:
        """Listen until it is cancelled."""
        try:
            while True:
                try:
                    await self._listen()
                except LinkError:
                    pass
                except (RedisError, OSError, TimeoutError) as error:
                    self._link.complain(error)
                finally:
                    self.listening.clear()
                await asyncio.sleep(RETRY_SECONDS)
        finally:
            for task in self._tasks:
                task.cancel()

    async def _listen(self) -> None:
        async with self._link.redis.pubsub() as inbox:
            await self._link.do(inbox.subscribe(_channel(self._name)))
            while True:
                message = await inbox.get_message(timeout=LISTEN_SECONDS)
                match message:
                    case {"type": "subscribe"}:
                        self.listening.set()
                    case {"type": "message", "data": bytes() as data}:
                        self._take(data)

    def _take(self, data: bytes) -> None:
        try:
            message = _DECODER.decode(data)
        except msgspec.MsgspecError:
            _log.warning("another process says what this one does not understand; is its version another?")
            return
        if isinstance(message, _Answer):
            asked = self._asked.get(message.number)
            if asked is not None and not asked.done():
                asked.set_result(message.done)
            return
        task = asyncio.create_task(self._reply(message))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _reply(self, question: Question) -> None:
        done = await self._answer(question)
        try:
            await self._send(question.sender, _Answer(question.number, done))
        except LinkError:
            _log.info("an answer to another process is lost")

    async def _send(self, process: str, message: Question | _Answer) -> int:
        return await self._link.do(
            self._link.redis.publish(_channel(process), msgspec.msgpack.encode(message))
        )


def _channel(process: str) -> str:
    return f"{PREFIX}process:{process}"
