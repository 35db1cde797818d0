"""The door: who asks, or why they are turned away. Every route that is not for everybody asks here.

====================  =====================================================================
a key that begins     is looked for
====================  =====================================================================
``ek_``               among the ephemeral keys; it opens sessions, and nothing else
``ey``, with two dots as a token that somebody signed, where there is a secret or keys for that
otherwise             in the file of keys; where there is none, it may be this machine's token
====================  =====================================================================
"""

import asyncio
import time
from dataclasses import dataclass, replace
from http import HTTPStatus
from urllib.parse import quote

from aiohttp import hdrs, web

from vivavoce.errors import VivaVoceError
from vivavoce.gateway.auth.jwks import PublicKeys
from vivavoce.gateway.auth.keyring import KeyRing
from vivavoce.gateway.auth.local import asks_for_itself, is_right, new_token
from vivavoce.gateway.auth.neighbour import is_own
from vivavoce.gateway.auth.settings import AuthSettings
from vivavoce.gateway.auth.tokens import (
    MIN_SECRET_BYTES,
    Rejected,
    Rules,
    UnknownSigner,
    looks_like_token,
    verify,
)
from vivavoce.gateway.client_secrets import is_ephemeral
from vivavoce.gateway.credentials import presented_key
from vivavoce.gateway.kept_secrets import KeptSecrets
from vivavoce.gateway.opening import ANYONE, Caller
from vivavoce.gateway.refusal import Refusal
from vivavoce.protocol.errors import INVALID_API_KEY
from vivavoce.protocol.session_params import SessionParams

__all__ = ["GUEST_HEADER", "Admission", "Door", "is_own_program", "offered_subprotocols"]

GUEST_HEADER = "OpenAI-Safety-Identifier"
"""Names the user that an ephemeral key is for, among those of who makes it."""

MAX_GUEST = 128
"""Characters of such a name; the API of OpenAI has a limit of 64."""


@dataclass(frozen=True, slots=True)
class Admission:
    """Who may open a session, and which."""

    caller: Caller
    granted: SessionParams | None = None
    """What an ephemeral key says that sessions begin with; None: whatever the client asks for."""
    ephemeral: str = ""
    """The ephemeral key, for `Door.spend`."""


class Door:
    """Knows who is who. One for a gateway."""

    def __init__(
        self, settings: AuthSettings, ephemeral: KeptSecrets, *, open_to_others: bool = False
    ) -> None:
        """``open_to_others``: the address can be reached from elsewhere.

        Raises `VivaVoceError` for settings that would let in the wrong ones.
        """
        self._settings = settings
        self._ephemeral = ephemeral
        self._everybody = open_to_others or settings.local_access == "open"
        self._token = settings.token.get_secret_value() if settings.token else new_token()
        self._ring = KeyRing(settings.keys_file) if settings.keys_file else None
        self._secret = settings.jwt_secret.get_secret_value() if settings.jwt_secret else None
        self._public = (
            PublicKeys(settings.jwt_keys, seconds=settings.jwt_keys_seconds) if settings.jwt_keys else None
        )
        self._rules = Rules(
            issuer=settings.jwt_issuer,
            audience=settings.jwt_audience,
            user_claim=settings.jwt_user_claim,
            group_claim=settings.jwt_group_claim,
            admin_group=settings.jwt_admin_group,
            leeway=settings.jwt_leeway_seconds,
        )
        self._check()

    @property
    def token(self) -> str | None:
        """What a page has to bring along as ``?token=``; None where it needs none, or a key."""
        return None if self._settings.asks_for_keys or self._everybody else self._token

    async def authenticate(self, request: web.Request) -> Caller | Refusal:
        """Return who asks, or why they are turned away. An ephemeral key is turned away with 403."""
        admission = await self.admit(request)
        if isinstance(admission, Refusal):
            return admission
        if admission.ephemeral:
            return Refusal(
                HTTPStatus.FORBIDDEN,
                "An ephemeral key opens sessions, and is good for nothing else.",
                code="ephemeral_key_not_allowed",
            )
        return admission.caller

    async def admit(self, request: web.Request) -> Admission | Refusal:
        """Return who asks for a session, or why they are turned away."""
        authorization = request.headers.get(hdrs.AUTHORIZATION)
        key = presented_key(authorization, offered_subprotocols(request)) or request.query.get("token")
        if is_ephemeral(key):
            try:
                granted = await self._ephemeral.find(key)
            except VivaVoceError as error:
                return _unavailable(error)
            return _wrong_ephemeral() if granted is None else Admission(granted.caller, granted.session, key)
        if not self._settings.asks_for_keys:
            return Admission(ANYONE) if await self._is_local(request, key) else _no_token()
        if not key:
            return _no_key()
        try:
            caller = await self._caller(key)
        except Rejected as rejected:
            return Refusal(HTTPStatus.UNAUTHORIZED, str(rejected), code=INVALID_API_KEY)
        except VivaVoceError as error:
            return _unavailable(error)
        return _wrong_key() if caller is None else Admission(caller)

    async def spend(self, admission: Admission) -> Refusal | None:
        """Note that a session is about to open; return a refusal where another one took a key's only use."""
        if not admission.ephemeral:
            return None
        try:
            return None if await self._ephemeral.spend(admission.ephemeral) else _wrong_ephemeral()
        except VivaVoceError as error:
            return _unavailable(error)

    def guest(self, request: web.Request, host: Caller) -> Caller | Refusal:
        """Return whom an ephemeral key is made for: its maker, or one of the users that the maker brings along."""
        name = request.headers.get(GUEST_HEADER)
        if name is None:
            return replace(host, admin=False)
        if not 0 < len(name) <= MAX_GUEST:
            return Refusal(
                HTTPStatus.BAD_REQUEST,
                f"Expected a name of 1 to {MAX_GUEST} characters in {GUEST_HEADER}, got {len(name)}.",
                code="invalid_value",
                param=GUEST_HEADER,
            )
        return replace(host, user=f"{host.user}/{quote(name, safe='@:|+')}", admin=False)

    async def _caller(self, key: str) -> Caller | None:
        if looks_like_token(key) and (self._secret is not None or self._public is not None):
            return await self._verify(key)
        found = self._ring.find(key, time.time()) if self._ring is not None else None
        return None if found is None else found.caller

    async def _verify(self, token: str) -> Caller:
        keys = {} if self._public is None else await self._public.get()
        try:
            return verify(token, self._rules, secret=self._secret, keys=keys, now=time.time())
        except UnknownSigner:
            if self._public is None:
                raise
        newer = await self._public.get(anew=True)
        return verify(token, self._rules, secret=self._secret, keys=newer, now=time.time())

    async def _is_local(self, request: web.Request, key: str | None) -> bool:
        """Tell whether somebody may come in where nobody is asked for a key."""
        if self._everybody or is_right(key, self._token):
            return True
        if self._settings.local_access == "token":
            return False
        return await asyncio.to_thread(
            is_own_program, request
        )  # milliseconds, among thousands of connections

    def _check(self) -> None:
        settings = self._settings
        if self._secret is not None and len(self._secret.encode()) < MIN_SECRET_BYTES:
            raise VivaVoceError(
                f"VIVAVOCE_JWT_SECRET: expected at least {MIN_SECRET_BYTES} bytes, got fewer."
            )
        if self._public is not None and not (settings.jwt_issuer and settings.jwt_audience):
            raise VivaVoceError(
                "VIVAVOCE_JWT_KEYS: expected VIVAVOCE_JWT_ISSUER and VIVAVOCE_JWT_AUDIENCE with it, since those keys "
                "sign for others too."
            )
        if self._ring is not None:
            self._ring.load()


def is_own_program(request: web.Request) -> bool:
    """Tell whether a program of our own user asks for itself, on this machine; it may read the connections' table."""
    if request.transport is None or not asks_for_itself(
        request.headers.get(hdrs.HOST), request.headers.keys()
    ):
        return False
    peer, here = (request.transport.get_extra_info(name) for name in ("peername", "sockname"))
    return bool(peer and here) and is_own(peer[:2], here[:2])


def offered_subprotocols(request: web.Request) -> list[str]:
    """Return the subprotocols that a WebSocket's client offers."""
    header = ",".join(request.headers.getall(hdrs.SEC_WEBSOCKET_PROTOCOL, []))
    return [name.strip() for name in header.split(",") if name.strip()]


def _unavailable(error: VivaVoceError) -> Refusal:
    return Refusal(
        HTTPStatus.SERVICE_UNAVAILABLE,
        str(error),
        code="authentication_unavailable",
        type="server_error",
        retry_after=10,
    )


def _wrong_ephemeral() -> Refusal:
    return Refusal(
        HTTPStatus.UNAUTHORIZED,
        "This ephemeral key has expired, was used up, or was never made here. POST /v1/realtime/client_secrets "
        "makes one.",
        code=INVALID_API_KEY,
    )


def _wrong_key() -> Refusal:
    return Refusal(
        HTTPStatus.UNAUTHORIZED, "This key is not known here, or has expired.", code=INVALID_API_KEY
    )


def _no_key() -> Refusal:
    return Refusal(
        HTTPStatus.UNAUTHORIZED,
        "Expected a key, in the header `Authorization: Bearer KEY`; in a browser, as the subprotocol "
        "`openai-insecure-api-key.KEY`, or as `?token=KEY`.",
        code="missing_api_key",
    )


def _no_token() -> Refusal:
    return Refusal(
        HTTPStatus.UNAUTHORIZED,
        "Expected the token that the server printed at its start. Open the address that it printed, "
        "or give the token as a key.",
        code="token_required",
    )
