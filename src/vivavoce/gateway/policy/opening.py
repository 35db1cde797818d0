"""What the rules make of a session that is about to open. Pure but for the clock of its stage."""

import time
from dataclasses import replace

from vivavoce.errors import ProtocolError
from vivavoce.gateway.opening import Opening, StageMaker
from vivavoce.gateway.policy.rules import Policy
from vivavoce.gateway.policy.stage import MODEL_NOT_ALLOWED, PolicyStage, with_rules

__all__ = ["policed", "ruled"]


def ruled(opening: Opening, policy: Policy) -> Opening:
    """Return the opening with what the rules say of it. Raises `ProtocolError` for a model that is not allowed."""
    if opening.call_id is not None:
        return opening
    rules = policy.rules(opening.caller)
    params = with_rules(opening.params, rules)
    model = getattr(params, "model", None) or opening.model
    if rules.models and model not in rules.models:
        raise ProtocolError(
            f"Expected one of the models {', '.join(rules.models)}, got {model!r}.",
            code=MODEL_NOT_ALLOWED,
            param="model",
        )
    return replace(opening, params=params, model=model)


def policed(policy: Policy) -> StageMaker:
    """Make the stage that holds a session to its rules."""
    return lambda opening: PolicyStage(policy.rules(opening.caller), time.monotonic() - opening.age)
