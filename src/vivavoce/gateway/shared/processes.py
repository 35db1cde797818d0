"""This process among the others of its gateway."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from aiohttp import WSCloseCode

from vivavoce.errors import LinkError
from vivavoce.gateway.bridge import Bridge
from vivavoce.gateway.calls import Calls, Held
from vivavoce.gateway.kept_secrets import KeptSecrets
from vivavoce.gateway.opening import Caller, Opening
from vivavoce.gateway.resume.tokens import Ticket, Tokens
from vivavoce.gateway.settings import GatewaySettings
from vivavoce.gateway.shared.directory import CALL_SECONDS, Directory
from vivavoce.gateway.shared.ephemeral_keys import KeptByAll
from vivavoce.gateway.shared.keeper import TAKEN, Keeper
from vivavoce.gateway.shared.link import Link
from vivavoce.gateway.shared.mail import Mail, Question, new_name
from vivavoce.gateway.upstreams.enduring import EnduringTransport

__all__ = ["CallElsewhere", "Processes"]


@dataclass(frozen=True, slots=True)
class CallElsewhere:
    """A call that another process has."""

    process: str
    theirs: bool
    """Whether it is the caller's who asked; those of others are as good as none."""


class Processes:
    """What this process tells the others, and asks of them. ``name`` is its own."""

    def __init__(self, url: str, sessions: Tokens[Bridge], calls: Calls) -> None:
        """Raises `ValueError` for an address that is none of Redis."""
        self.link = Link(url)
        self.name = new_name()
        self.directory = Directory(self.link, self.name)
        self.mail = Mail(self.link, self.name, self._answer)
        self._sessions = sessions
        self._calls = calls

    def keeper(
        self,
        settings: GatewaySettings,
        opening: Opening,
        transport: EnduringTransport,
        ticket: Ticket[Bridge],
    ) -> Keeper:
        """Return what keeps a session for the others."""
        return Keeper(self.directory, settings, opening, transport, ticket, window=settings.resume_seconds)

    def keys(self, alone: KeptSecrets, limit: int) -> KeptByAll:
        """Return where ephemeral keys are kept for all processes."""
        return KeptByAll(self.link, alone, limit)

    @asynccontextmanager
    async def joined(self) -> AsyncIterator[None]:
        """Be there for the others, for as long as the context lasts."""
        tasks = [asyncio.create_task(self.mail.run()), asyncio.create_task(self._tell_calls())]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self.link.close()

    async def call_began(self, held: Held) -> None:
        """Tell the others that a call is here."""
        with suppress(LinkError):
            await self.directory.write_call(held.id, held.caller.user)

    async def call_ended(self, held: Held) -> None:
        """Tell them that it is over."""
        with suppress(LinkError):
            await self.directory.forget_call(held.id)

    async def find_call(self, call_id: str, caller: Caller) -> CallElsewhere | None:
        """Return where a call is that another process has."""
        try:
            found = await self.directory.find_call(call_id)
        except LinkError:
            return None
        if found is None or found[0] == self.name:
            return None
        process, user = found
        return CallElsewhere(process, theirs=caller.admin or user == caller.user)

    async def hang_up(self, process: str, call_id: str) -> bool:
        """Have another process end a call; tell whether it did."""
        try:
            return await self.mail.ask(process, "hang_up", call_id) is True
        except LinkError:
            return False

    async def _tell_calls(self) -> None:
        while True:
            await asyncio.sleep(CALL_SECONDS / 3)
            for held in self._calls.all:
                await self.call_began(held)

    async def _answer(self, question: Question) -> bool:
        match question.kind:
            case "yield":
                ticket = self._sessions.find_digest(bytes.fromhex(question.what))
                if ticket is None or (bridge := ticket.session) is None:
                    return False
                bridge.end(WSCloseCode.GOING_AWAY, TAKEN)
                await bridge.over()
                return True
            case "hang_up":
                held = self._calls.find(question.what, Caller("", admin=True))
                if held is not None:
                    held.call.end(WSCloseCode.OK, "hung up")
                return held is not None
