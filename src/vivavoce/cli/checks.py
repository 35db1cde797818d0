"""What ``vivavoce doctor`` looks at: each check tells in a line what it found, and what to do about it."""

import asyncio
import os
import platform
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Literal, cast

import av
from cryptography import x509

from vivavoce import __version__
from vivavoce.audio.devices import load_sounddevice
from vivavoce.cli.serve_upstream import profile_of, upstream_of
from vivavoce.errors import AudioDeviceError, VivaVoceError
from vivavoce.gateway import GatewaySettings, create_app
from vivavoce.gateway.auth.keyring import KeyRing
from vivavoce.gateway.operations.tls import certificate_of
from vivavoce.gateway.policy import read_policy
from vivavoce.gateway.upstream import Upstream
from vivavoce.gateway.upstreams.settings import ENGINE
from vivavoce.protocol.session import DEFAULT_MODEL
from vivavoce.protocol.session_params import RealtimeSessionParams

__all__ = ["CHECKS", "Check", "Finding", "examine"]

Verdict = Literal["good", "note", "bad"]

SECONDS = 20.0
"""How long one check may take."""

SOON = timedelta(days=14)
"""A certificate that ends so soon should have been replaced: authorities of the day give 90 days, or 47."""

EXTRAS = {
    "engine": "xllamacpp",
    "devices": "sounddevice",
    "history": "sqlalchemy",
    "metrics": "prometheus_client",
    "otel": "opentelemetry.sdk",
    "redis": "redis",
    "tools": "mcp",
    "webrtc": "aiortc",
}
"""A package of each extra, that tells whether it is installed."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found. ``bad`` keeps the gateway from serving as it is set; a ``note`` does not."""

    name: str
    verdict: Verdict
    text: str
    advice: str = ""


Check = Callable[[GatewaySettings], Awaitable[Finding]]


async def examine(check: Check, settings: GatewaySettings) -> Finding:
    """Make a check, and tell what kept it from an answer as well."""
    name = check.__name__.replace("_", " ")
    try:
        async with asyncio.timeout(SECONDS):
            return await check(settings)
    except VivaVoceError as error:
        return Finding(name, "bad", str(error))
    except TimeoutError:
        return Finding(name, "bad", f"No answer within {SECONDS:g} seconds.")


async def packages(_: GatewaySettings) -> Finding:
    """Versions of what bugs depend on, and which extras are there."""
    numbers = ".".join(map(str, av.library_versions["libavcodec"]))
    told = f"vivavoce {__version__}, Python {platform.python_version()}, av {av.__version__} (libavcodec {numbers})"
    told += f", aiohttp {version('aiohttp')}"
    missing = [extra for extra, package in EXTRAS.items() if not _is_there(package)]
    if missing:
        return Finding(
            "packages",
            "note",
            f"{told}; without {', '.join(missing)}.",
            f"pip install 'vivavoce[{','.join(missing)}]'",
        )
    return Finding("packages", "good", f"{told}.")


async def configuration(settings: GatewaySettings) -> Finding:
    """Whether settings fit together: secrets that everybody knows, tokens, the limits' store."""
    create_app(settings, upstream_of(settings))
    who = "everybody on this network" if settings.open_to_others and not settings.asks_for_keys else ""
    if who:
        return Finding("configuration", "note", f"It lets in {who}.", "Name a file of keys with --keys-file.")
    return Finding("configuration", "good", "The settings fit together.")


async def policy(settings: GatewaySettings) -> Finding:
    """Whether the file of the policy can be read, and that of keys."""
    if settings.keys_file is not None:
        KeyRing(settings.keys_file).load()
    if settings.policy is None:
        return Finding("policy", "good", "There is none: whoever is let in may do everything.")
    read_policy(settings.policy)
    return Finding("policy", "good", f"{settings.policy} can be read.")


async def certificate(settings: GatewaySettings) -> Finding:
    """Whether the certificate and its key can be used, and for how long."""
    if certificate_of(settings) is None or settings.tls_cert is None:
        return Finding("certificate", "good", "There is none: it speaks HTTP.")
    ends = x509.load_pem_x509_certificate(settings.tls_cert.read_bytes()).not_valid_after_utc
    left = ends - datetime.now(UTC)
    if left < timedelta(0):
        return Finding("certificate", "bad", f"It ended on {ends:%Y-%m-%d}.", "Renew it.")
    if left < SOON:
        return Finding("certificate", "note", f"It ends on {ends:%Y-%m-%d}.", "Renew it, and send SIGHUP.")
    return Finding("certificate", "good", f"It is good until {ends:%Y-%m-%d}.")


async def address(settings: GatewaySettings) -> Finding:
    """Whether the address can be listened at."""
    where = f"{settings.host}, port {settings.port}"
    try:
        found = await asyncio.get_running_loop().getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_STREAM
        )
        family, kind, protocol, _, at = found[0]
        with socket.socket(family, kind, protocol) as listening:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(at)
            listening.listen()
    except OSError as error:
        return Finding(
            "address",
            "bad",
            f"{where}: {error.strerror or error}.",
            "Stop what listens there, or choose another --port.",
        )
    return Finding("address", "good", f"{where} is free.")


async def upstream(settings: GatewaySettings) -> Finding:
    """Whether a session can be opened elsewhere, with the key and the model of the settings; nothing is said in it."""
    if settings.upstream == ENGINE:
        return Finding("upstream", "good", "Sessions are held by the engine, in this process.")
    alone = settings.model_copy(update={"continuity": False, "fallback_upstream": None})
    async with _started(upstream_of(alone)) as there:
        [reach] = await there.reach()
        if not reach.reachable:
            return Finding(
                "upstream",
                "bad",
                f"{reach.address} does not answer.",
                "Look at the address, the network and the proxy.",
            )
        session = await there.connect(
            settings.openai_realtime_model or DEFAULT_MODEL, RealtimeSessionParams()
        )
        await session.close()
    return Finding("upstream", "good", f"{reach.address} opens sessions.")


async def models(settings: GatewaySettings) -> Finding:
    """Whether the models of the engine are here."""
    if ENGINE not in (settings.upstream, settings.fallback_upstream) or settings.engine != "builtin":
        return Finding("models", "good", "None are needed.")
    if not _is_there(EXTRAS["engine"]):
        return Finding("models", "bad", "The engine is not installed.", "pip install 'vivavoce[engine]'")
    from vivavoce.engine.weights import CATALOGUE, present  # noqa: PLC0415 - an extra

    missing = [name for name in profile_of(settings).weights if not present(name)]
    if missing:
        size = sum(CATALOGUE[name].size for name in missing) / 1e6
        return Finding(
            "models",
            "note",
            f"{', '.join(missing)} will be fetched at the start, {size:,.0f} MB.",
            f"vivavoce models fetch {' '.join(missing)}",
        )
    return Finding(
        "models", "good", f"{', '.join(profile_of(settings).weights)} are here, and were verified."
    )


async def database(settings: GatewaySettings) -> Finding:
    """Whether the history can be read and written."""
    if settings.history == "off":
        return Finding("database", "good", "Nothing is kept.")
    if not _is_there(EXTRAS["history"]):
        return Finding("database", "note", "Nothing is kept.", "pip install 'vivavoce[history]'")
    from sqlalchemy import text  # noqa: PLC0415 - an extra

    from vivavoce.gateway.history.database import Database  # noqa: PLC0415 - an extra

    found = Database(settings.history_url)
    try:
        if found.dialect == "sqlite" and (missing := _to_be_made(Path(found.name))) is not None:
            return missing
        async with found.read() as connection:
            await connection.execute(text("select 1"))
    finally:
        await found.close()
    return Finding("database", "good", f"{found.name} can be read.")


def _to_be_made(file: Path) -> Finding | None:
    """Tell whether a file can be made that is not there."""
    if file.exists():
        return None
    folder = next(folder for folder in file.absolute().parents if folder.exists())
    if os.access(folder, os.W_OK | os.X_OK):
        return Finding("database", "good", f"{file} will be made at the start.")
    return Finding(
        "database", "bad", f"{file} cannot be made in {folder}.", "Choose another VIVAVOCE_HISTORY_FOLDER."
    )


async def redis(settings: GatewaySettings) -> Finding:
    """Whether Redis answers."""
    if settings.redis_url is None:
        return Finding("redis", "good", "Each process counts for itself.")
    if not _is_there(EXTRAS["redis"]):
        return Finding("redis", "bad", "Its package is missing.", "pip install 'vivavoce[redis]'")
    from redis.asyncio import Redis  # noqa: PLC0415 - an extra
    from redis.exceptions import RedisError  # noqa: PLC0415

    client = Redis.from_url(settings.redis_url.get_secret_value(), socket_timeout=5, socket_connect_timeout=5)
    try:
        await cast("Awaitable[object]", client.ping())
    except (RedisError, OSError) as error:  # the message may quote the address, and so a password
        return Finding(
            "redis", "bad", f"It does not answer: {type(error).__name__}.", "Look at VIVAVOCE_REDIS_URL."
        )
    finally:
        await client.aclose()
    return Finding("redis", "good", "It answers.")


async def sound(_: GatewaySettings) -> Finding:
    """Whether this machine has a microphone and a speaker, for ``vivavoce talk``."""
    try:
        sounddevice = load_sounddevice()
    except AudioDeviceError as error:
        return _no_sound(error)
    try:
        found = {kind: sounddevice.query_devices(kind=kind)["name"] for kind in ("input", "output")}
    except (ValueError, sounddevice.PortAudioError) as error:
        return _no_sound(error)
    return Finding("sound", "good", f"{found['input']} hears, {found['output']} speaks.")


def _no_sound(error: Exception) -> Finding:
    return Finding(
        "sound", "note", f"There is none here: {error}", "Only `vivavoce talk` needs it; browsers do not."
    )


CHECKS: tuple[Check, ...] = (
    packages,
    configuration,
    policy,
    certificate,
    address,
    upstream,
    models,
    database,
    redis,
    sound,
)
"""All of them, in the order in which they are told."""


@asynccontextmanager
async def _started(there: Upstream) -> AsyncIterator[Upstream]:
    try:
        await there.start()
        yield there
    finally:
        await there.close()


def _is_there(package: str) -> bool:
    try:
        return find_spec(package) is not None
    except ModuleNotFoundError:
        return False
