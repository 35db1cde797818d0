"""The token of a gateway that asks for no keys, and who needs it. Pure.

Who may read our memory needs no key to our door: programs of the same user. All others show the token that is printed
at the start: pages, which are not the user's own word, programs of other users, and whoever a proxy brings.
"""

import hmac
import secrets
from collections.abc import Collection

from vivavoce.gateway.loopback import is_loopback, without_port

__all__ = ["TOKEN_BYTES", "asks_for_itself", "is_right", "new_token"]

TOKEN_BYTES = 24

_BROWSERS = frozenset({"origin", "sec-fetch-site", "sec-fetch-dest"})
"""Headers that every browser sends, and that no page can leave out. ``Sec-Fetch-Mode`` goes with the last two in all
of them, but stands alone in what Node.js sends, which is no browser."""

_PROXIES = frozenset(
    {"forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip"}
)
"""Headers of those who ask for somebody else."""


def new_token() -> str:
    """Make a token."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def is_right(presented: str | None, token: str) -> bool:
    """Compare in a time that tells nothing of the token."""
    return presented is not None and hmac.compare_digest(
        presented.encode(errors="surrogatepass"), token.encode(errors="surrogatepass")
    )


def asks_for_itself(host: str | None, headers: Collection[str]) -> bool:
    """Tell from the ``Host`` and the names of all headers whether a program of this machine asks for itself."""
    names = {name.lower() for name in headers}
    return host is not None and is_loopback(without_port(host)) and not names & (_BROWSERS | _PROXIES)
