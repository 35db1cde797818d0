"""The gateway as an aiohttp application."""

import asyncio
import logging
import os
from collections.abc import Callable
from http import HTTPStatus
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from aiohttp import WSCloseCode, hdrs, web
from aiohttp.typedefs import Handler

from vivavoce.client.retrying import Reconnect
from vivavoce.client.toolbox import Toolbox
from vivavoce.errors import VivaVoceError
from vivavoce.gateway.auth.door import Door
from vivavoce.gateway.auth.known import refuse_well_known
from vivavoce.gateway.bridge import Bridge
from vivavoce.gateway.calls import Calls
from vivavoce.gateway.client_secrets import ClientSecrets
from vivavoce.gateway.cross_origin import answer_preflight, is_preflight, shared_with
from vivavoce.gateway.kept_secrets import KeptHere, KeptSecrets
from vivavoce.gateway.limits.limiter import Limiter, choose_store
from vivavoce.gateway.loading import Loading
from vivavoce.gateway.opening import StageMaker
from vivavoce.gateway.operations.drain import Drain
from vivavoce.gateway.operations.logs import REQUEST_ID_HEADER, names_of, new_request
from vivavoce.gateway.origin import Doorkeeper
from vivavoce.gateway.policy import Policy, read_policy
from vivavoce.gateway.policy.opening import policed
from vivavoce.gateway.refusal import REFUSED, Refusal
from vivavoce.gateway.resume.tokens import Tokens
from vivavoce.gateway.routes.api import api_page, openapi
from vivavoce.gateway.routes.beta_sessions import make_session, make_transcription_session
from vivavoce.gateway.routes.client_secrets import make_client_secret
from vivavoce.gateway.routes.front import front
from vivavoce.gateway.routes.health import health
from vivavoce.gateway.routes.metrics import metrics
from vivavoce.gateway.routes.page import web_file
from vivavoce.gateway.routes.ready import ready
from vivavoce.gateway.routes.realtime import realtime
from vivavoce.gateway.routes.voice import voice, voice_health, voice_of_user, voice_status
from vivavoce.gateway.server_tools import ServerTools
from vivavoce.gateway.server_tools.house import open_tools
from vivavoce.gateway.sessions import Sessions, limit
from vivavoce.gateway.settings import GatewaySettings
from vivavoce.gateway.sharing import choose_processes
from vivavoce.gateway.state import GATEWAY, Gateway
from vivavoce.gateway.upstream import Progress, Upstream
from vivavoce.gateway.upstreams.choosing import choose_call_relay, choose_models
from vivavoce.gateway.upstreams.enduring import EnduringUpstream
from vivavoce.gateway.upstreams.settings import ENGINE
from vivavoce.web import FOLDER

if TYPE_CHECKING:
    from vivavoce.gateway.history.history import History
    from vivavoce.gateway.operations.metrics import Metrics
    from vivavoce.gateway.operations.tracing import Traces

__all__ = ["create_app"]

_log = logging.getLogger(__name__)

VOICE_API = "/api/v1/streaming/realtime"
"""Where the voice API is."""


def create_app(
    settings: GatewaySettings,
    upstream: Upstream,
    *,
    progress: Callable[[Progress], None] | None = None,
    web_folder: Path = FOLDER,
    stages: tuple[StageMaker, ...] = (),
    history: "History | None" = None,
) -> web.Application:
    """Make the application.

    It takes charge of ``upstream``: `vivavoce.gateway.server.listen` starts it as soon as the address
    answers, and it is closed with the application. ``progress`` is told of every piece that is fetched.
    ``stages`` come between clients and endpoint, in this order, after the policy. ``history`` starts and stops
    with the application, which answers for it; its stage has to be among the others.

    Raises `VivaVoceError` for settings that would let in the wrong ones, and a policy that cannot be read.
    """
    refuse_well_known(settings, os.environ)
    toolbox = Toolbox()
    policy = _policy(settings)
    limiter = None
    if policy is not None:
        limiter = Limiter(policy, choose_store(settings), settings.retry_after_seconds)
    tools = None if policy is None else ServerTools(toolbox, policy)
    calls, resumable = Calls(), Tokens[Bridge]()
    processes = choose_processes(settings, resumable, calls)
    client_secrets: KeptSecrets = KeptHere(ClientSecrets(settings.max_client_secrets))
    if processes is not None:
        client_secrets = processes.keys(client_secrets, settings.max_client_secrets)
        if settings.resume_seconds and not isinstance(upstream, EnduringUpstream):
            # What another process needs to go on with a session is known where the session endures.
            upstream = EnduringUpstream(upstream, Reconnect(hold=settings.continuity_hold_seconds))
    app = web.Application(
        middlewares=[_take_note, _answer_in_json, _keep_the_door], client_max_size=settings.max_body_bytes
    )
    traces = _traces(settings)
    sessions = Sessions(
        lambda: limit(settings.max_sessions, upstream.capacity), retry_after=settings.retry_after_seconds
    )
    app[GATEWAY] = Gateway(
        settings=settings,
        upstream=upstream,
        loading=Loading(upstream, progress),
        sessions=sessions,
        drain=Drain(sessions, settings.drain_seconds),
        doorkeeper=Doorkeeper.of(settings),
        client_secrets=client_secrets,
        policy=policy,
        limiter=limiter,
        tools=tools,
        door=Door(settings, client_secrets, open_to_others=settings.open_to_others),
        models=choose_models(settings),
        calls=calls,
        call_relay=choose_call_relay(settings) if relays_calls(settings) else None,
        web=web_folder,
        metrics=_metrics(settings),
        resumable=resumable,
        processes=processes,
        stages=_in_order(traces, limiter, stages, tools),
    )
    _add_routes(app)
    app.on_response_prepare.append(_say_its_name)
    app.on_response_prepare.append(_let_read)
    if processes is not None:
        app.cleanup_ctx.append(lambda _: processes.joined())
    app.cleanup_ctx.append(lambda _: open_tools(settings, toolbox.add))
    app.on_shutdown.append(_end_sessions)
    app.on_cleanup.append(_close_upstream)
    if traces is not None:
        app.on_cleanup.append(lambda _: traces.close())
    if history is not None:
        from vivavoce.gateway.routes.history import add_history  # noqa: PLC0415 - an extra

        add_history(app, history)
    return app


def relays_calls(settings: GatewaySettings) -> bool:
    """Tell whether the endpoint takes calls itself: a policy could not be held where their events pass by."""
    if settings.call_media == "auto":
        return settings.upstream != ENGINE and settings.policy is None
    return settings.call_media == "upstream"


def _policy(settings: GatewaySettings) -> Policy | None:
    if settings.policy is None:
        return None
    if relays_calls(settings):
        _log.warning(
            "the policy cannot hold for calls: with VIVAVOCE_CALL_MEDIA=upstream callers speak to the endpoint itself, "
            "may ask it for anything, and see the instructions"
        )
    return read_policy(settings.policy)


def _add_routes(app: web.Application) -> None:
    """Answer for all but the history, which its owner adds; `operations.openapi` describes them."""
    app.router.add_get("/", front)
    app.router.add_get("/web/{path:.+}", web_file)
    app.router.add_get("/health", health)
    app.router.add_get("/ready", ready)
    app.router.add_get("/api", api_page)
    app.router.add_get("/api/openapi.json", openapi)
    if app[GATEWAY].metrics is not None:
        app.router.add_get("/metrics", metrics)
    app.router.add_get("/v1/realtime", realtime, allow_head=False)
    app.router.add_post("/v1/realtime/client_secrets", make_client_secret)
    app.router.add_post("/v1/realtime/sessions", make_session)
    app.router.add_post("/v1/realtime/transcription_sessions", make_transcription_session)
    app.router.add_get(VOICE_API, voice, allow_head=False)
    app.router.add_get(f"{VOICE_API}/status", voice_status)
    app.router.add_get(f"{VOICE_API}/health", voice_health)
    app.router.add_get(f"{VOICE_API}/{{user_id}}", voice_of_user, allow_head=False)
    if find_spec("aiortc") is not None:
        from vivavoce.gateway.routes.calls import add_calls  # noqa: PLC0415 - an extra

        add_calls(app)


def _in_order(
    traces: "Traces | None",
    limiter: Limiter | None,
    stages: tuple[StageMaker, ...],
    tools: ServerTools | None,
) -> tuple[StageMaker, ...]:
    """Return what sessions pass, from the client to the endpoint."""
    first = () if traces is None else (traces.stage,)
    rules = () if limiter is None else (policed(limiter.policy), limiter.stage)
    last = () if tools is None else (tools.stage,)
    return (*first, *rules, *stages, *last)


def _metrics(settings: GatewaySettings) -> "Metrics | None":
    """Return what measures, if somebody may read it and its package is there."""
    if (settings.metrics == "off" and settings.metrics_token is None) or find_spec(
        "prometheus_client"
    ) is None:
        return None
    from vivavoce.gateway.operations.metrics import Metrics  # noqa: PLC0415 - an extra

    return Metrics()


def _traces(settings: GatewaySettings) -> "Traces | None":
    """Return what traces sessions, where that is wanted. Raises `VivaVoceError` where its packages are missing."""
    if not settings.otel:
        return None
    try:
        from vivavoce.gateway.operations.tracing import Traces  # noqa: PLC0415 - an extra
    except ModuleNotFoundError as missing:
        raise VivaVoceError(
            f"VIVAVOCE_OTEL needs the package {missing.name}: pip install 'vivavoce[otel]'."
        ) from missing
    return Traces()


async def _end_sessions(app: web.Application) -> None:
    gateway = app[GATEWAY]
    try:
        async with asyncio.timeout(gateway.settings.shutdown_seconds):
            await gateway.sessions.end_all(WSCloseCode.GOING_AWAY, "The server stops.")
    except TimeoutError:
        _log.warning("%d sessions did not end in time, and are cut off", len(gateway.sessions))


async def _close_upstream(app: web.Application) -> None:
    gateway = app[GATEWAY]
    await gateway.loading.stop()
    await gateway.upstream.close()
    if gateway.call_relay is not None:
        await gateway.call_relay.close()
    if gateway.limiter is not None:
        await gateway.limiter.store.close()


async def _say_its_name(request: web.Request, response: web.StreamResponse) -> None:
    if name := names_of(request).get("request"):
        response.headers[REQUEST_ID_HEADER] = name


@web.middleware
async def _take_note(request: web.Request, handler: Handler) -> web.StreamResponse:
    measured, resource = request.app[GATEWAY].metrics, request.match_info.route.resource
    new_request(request)
    status, refused = int(HTTPStatus.INTERNAL_SERVER_ERROR), None
    try:
        response = await handler(request)
        status, refused = response.status, response.get(REFUSED)
    finally:
        if measured is not None:
            route = "none" if resource is None else resource.canonical
            method = request.method if request.method in hdrs.METH_ALL else "other"
            measured.served(method, route, status, refused)
    return response


@web.middleware
async def _keep_the_door(request: web.Request, handler: Handler) -> web.StreamResponse:
    doorkeeper = request.app[GATEWAY].doorkeeper
    refusal = doorkeeper.refuse(request.headers.get(hdrs.HOST), request.headers.get(hdrs.ORIGIN))
    if refusal is not None:
        return refusal.response()
    return answer_preflight() if is_preflight(request.method, request.headers) else await handler(request)


async def _let_read(request: web.Request, response: web.StreamResponse) -> None:
    """Tell the browser of a page that was let in that the page may read the answer."""
    host, origin = request.headers.get(hdrs.HOST), request.headers.get(hdrs.ORIGIN)
    if origin is not None and request.app[GATEWAY].doorkeeper.refuse(host, origin) is None:
        response.headers.update(shared_with(origin))
    response.headers.add(hdrs.VARY, hdrs.ORIGIN)


@web.middleware
async def _answer_in_json(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Give aiohttp's own refusals (no such path, no such method, a broken upgrade) the shape of ours."""
    try:
        return await handler(request)
    except web.HTTPError as error:
        status = HTTPStatus(error.status)
        what = f"{request.method} {request.path}"
        response = Refusal(status, f"{status.phrase}: {what}", code=status.name.lower()).response()
        if hdrs.ALLOW in error.headers:
            response.headers[hdrs.ALLOW] = error.headers[hdrs.ALLOW]
        return response
