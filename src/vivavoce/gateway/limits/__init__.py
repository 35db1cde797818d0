"""How much each user may have: counted in memory, or in Redis by all processes together."""

from vivavoce.gateway.limits.limiter import Limiter

__all__ = ["Limiter"]
