"""What the routes of one gateway share."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from aiohttp import web

from vivavoce.gateway.auth.door import Door
from vivavoce.gateway.bridge import Bridge
from vivavoce.gateway.calls import Calls
from vivavoce.gateway.kept_secrets import KeptSecrets
from vivavoce.gateway.limits import Limiter
from vivavoce.gateway.loading import Loading
from vivavoce.gateway.opening import Opening, StageMaker
from vivavoce.gateway.operations.drain import Drain
from vivavoce.gateway.origin import Doorkeeper
from vivavoce.gateway.passage import Counts, Dialect, Passage, Stage
from vivavoce.gateway.policy import Policy
from vivavoce.gateway.resume.tokens import Tokens
from vivavoce.gateway.server_tools import ServerTools
from vivavoce.gateway.sessions import Sessions
from vivavoce.gateway.settings import GatewaySettings
from vivavoce.gateway.upstream import Upstream
from vivavoce.gateway.upstreams.calls import CallRelay
from vivavoce.gateway.upstreams.models import Models

if TYPE_CHECKING:
    from vivavoce.gateway.operations.metrics import Metrics
    from vivavoce.gateway.shared.processes import Processes

__all__ = ["GATEWAY", "Gateway"]


@dataclass(frozen=True, slots=True)
class Gateway:
    """The parts of a running gateway."""

    settings: GatewaySettings
    upstream: Upstream
    loading: Loading
    sessions: Sessions
    doorkeeper: Doorkeeper
    client_secrets: KeptSecrets
    door: Door
    policy: Policy | None
    limiter: Limiter | None
    tools: ServerTools | None
    models: Models
    calls: Calls
    drain: Drain
    call_relay: CallRelay | None
    """Where calls are passed on to; None where they are taken here."""
    web: Path
    """The folder with what the browser loads."""
    stages: tuple[StageMaker, ...] = ()
    """What a session's events pass, from the client to the endpoint."""
    metrics: "Metrics | None" = None
    """What its sessions are measured by."""
    resumable: Tokens[Bridge] = field(default_factory=Tokens)
    """The sessions that clients may come back to."""

    processes: "Processes | None" = None
    """What ties this process to others; None where it is alone."""

    def passage(
        self, opening: Opening, dialect: Dialect | None = None, *, first: Sequence[Stage] = ()
    ) -> Passage:
        """Make the way of a session that is about to open; ``first`` come before all other stages."""
        stages, counts = [*first], Counts()
        if self.metrics is not None:
            stages.append(self.metrics.stage(opening, counts))
        stages += [stage for make in (self.drain.stage, *self.stages) if (stage := make(opening)) is not None]
        return Passage(stages, dialect, counts=counts)


GATEWAY: web.AppKey[Gateway] = web.AppKey("gateway", Gateway)
"""Where an application keeps its `Gateway`."""
