"""Users that somebody else knows: JSON web tokens, signed with a shared secret or with a private key. Pure.

Which algorithm a token may use follows from what we hold, never from what the token says of itself: a secret means
HS256, public keys mean RS256. What a token says of where its keys are (``jku``, ``x5u``, ``jwk``) is not read.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from vivavoce.errors import VivaVoceError
from vivavoce.gateway.opening import Caller

__all__ = [
    "MIN_SECRET_BYTES",
    "SIGNED",
    "Rejected",
    "Rules",
    "UnknownSigner",
    "looks_like_token",
    "public_keys",
    "verify",
]

SIGNED = "jwt"
"""What stands for the name of a key where a signed token let its user in."""

MIN_SECRET_BYTES = 32
"""RFC 7518, 3.2: a key of the size of the hash or larger."""

MIN_RSA_BITS = 2048
"""RFC 7518, 3.3."""


class Rejected(VivaVoceError):  # noqa: N818 - says what happened
    """A token that lets nobody in; the message says why, and repeats nothing of the token."""


class UnknownSigner(Rejected):
    """A token is signed with a key that is not among those we know; there may be newer ones."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What a token has to say."""

    issuer: str | None = None
    audience: str | None = None
    user_claim: str = "sub"
    group_claim: str = "group"
    admin_group: str | None = None
    leeway: float = 0.0
    """Seconds."""


def looks_like_token(key: str) -> bool:
    """Tell a signed token (three parts, the first an object in base64) from a key."""
    return key.count(".") == 2 and key.startswith("ey")


def public_keys(jwks: Any) -> dict[str | None, RSAPublicKey]:
    """Read the RSA keys of a JWKS, by their id; those for other uses or algorithms are left out.

    Raises `Rejected` where there is none.
    """
    found: dict[str | None, RSAPublicKey] = {}
    for entry in jwks.get("keys", []) if isinstance(jwks, dict) else []:
        if not isinstance(entry, dict) or entry.get("kty") != "RSA" or "d" in entry:
            continue
        if entry.get("use", "sig") != "sig" or entry.get("alg", "RS256") != "RS256":
            continue
        try:
            key = jwt.PyJWK(entry, algorithm="RS256").key
        except jwt.PyJWTError:
            continue
        if isinstance(key, RSAPublicKey) and key.key_size >= MIN_RSA_BITS:
            found[entry.get("kid")] = key
    if not found:
        raise Rejected(f"Expected a JWKS with public RSA keys of at least {MIN_RSA_BITS} bits for RS256.")
    return found


def verify(
    token: str, rules: Rules, *, secret: str | None, keys: Mapping[str | None, RSAPublicKey], now: float
) -> Caller:
    """Return whom a token names; ``now`` is in seconds since 1970.

    Raises `Rejected`, or `UnknownSigner` where other keys might do.
    """
    try:
        header = jwt.get_unverified_header(token)
        if header.get("alg") == "HS256" and secret is not None:
            claims = _decode(token, secret, "HS256", rules)
        elif header.get("alg") == "RS256":
            claims = _decode(token, _choose(keys, header.get("kid")), "RS256", rules)
        else:
            raise Rejected("The token is signed with an algorithm that is not taken here.")
    except jwt.MissingRequiredClaimError as error:
        raise Rejected(f"The token has no claim {error.claim!r}, which is needed here.") from None
    except jwt.InvalidIssuerError:
        raise Rejected("The token was made by another issuer.") from None
    except jwt.InvalidAudienceError:
        raise Rejected("The token was made for another audience.") from None
    except (jwt.PyJWTError, ValueError):
        raise Rejected("The token cannot be read, or its signature is wrong.") from None
    _check_times(claims, rules.leeway, now)
    return _caller(claims, rules)


def _choose(keys: Mapping[str | None, RSAPublicKey], kid: object) -> RSAPublicKey:
    key = keys.get(kid) if isinstance(kid, str) else None
    if key is None and kid is None and len(keys) == 1:
        key = next(iter(keys.values()))
    if key is None:
        raise UnknownSigner("The token is signed with a key that is not known here.")
    return key


def _decode(token: str, key: str | RSAPublicKey, algorithm: str, rules: Rules) -> dict[str, Any]:
    return jwt.decode(
        token,
        key,
        algorithms=[algorithm],
        audience=rules.audience,
        issuer=rules.issuer,
        options={
            "require": ["exp", rules.user_claim],
            "verify_exp": False,  # by `_check_times`: the time is passed in
            "verify_nbf": False,
            "verify_iat": False,
            "verify_aud": rules.audience is not None,
        },
    )


def _check_times(claims: Mapping[str, Any], leeway: float, now: float) -> None:
    for name in ("exp", "nbf"):
        at = claims.get(name)
        if at is None and name == "nbf":
            continue
        if isinstance(at, bool) or not isinstance(at, int | float):
            raise Rejected(f"The token's claim {name!r} is no time.")
        if name == "exp" and now >= at + leeway:
            raise Rejected("The token has expired.")
        if name == "nbf" and now < at - leeway:
            raise Rejected("The token does not hold yet.")


def _caller(claims: Mapping[str, Any], rules: Rules) -> Caller:
    user, groups = claims[rules.user_claim], claims.get(rules.group_claim, "")
    if not isinstance(user, str) or not user:
        raise Rejected(f"The token's claim {rules.user_claim!r} names no user.")
    named = groups if isinstance(groups, list) else [groups]
    if not all(isinstance(group, str) for group in named):
        raise Rejected(f"The token's claim {rules.group_claim!r} names no group.")
    admin = rules.admin_group is not None and rules.admin_group in named
    # A slash parts a user from whom it brings along, so that no issuer's user can be taken for another's guest.
    return Caller(quote(user, safe="@:|+"), key=SIGNED, group=next(iter(named), ""), admin=admin)
