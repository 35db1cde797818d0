"""Secrets that everybody knows: placeholders of examples, which somebody left in place. Pure."""

import re
from collections.abc import Iterable, Mapping

from pydantic import SecretStr

from vivavoce.errors import VivaVoceError

__all__ = ["WellKnownSecret", "is_well_known", "refuse_well_known"]

_WORDS = frozenset(
    {
        "123456",
        "12345678",
        "admin",
        "apikey",
        "api_key",
        "changeit",
        "changeme",
        "change_me",
        "default",
        "dummy",
        "example",
        "foobar",
        "jwt_secret",
        "key",
        "mysecret",
        "none",
        "null",
        "password",
        "placeholder",
        "postgres",
        "redis",
        "root",
        "secret",
        "secretkey",
        "secret_key",
        "sk",
        "sk_xxx",
        "test",
        "todo",
        "token",
        "undefined",
    }
)
_PLACEHOLDER = re.compile(
    r"(your|my|the|insert|enter|put|add|replace|change|paste)_.*|.*_(here|me|this|placeholder)|(sk_)?(x{3,}|\*{3,}|\.{3,})"
)


class WellKnownSecret(VivaVoceError):  # noqa: N818 - says what was found
    """A secret of the settings is none."""


def is_well_known(value: str) -> bool:
    """Tell whether a secret is a placeholder, such as ``changeme`` or ``your_openai_api_key_here``."""
    plain = value.strip().strip("<>[]{}\"'").lower()
    plain = re.sub(r"[\s-]+", "_", plain)
    return plain in _WORDS or plain.replace("_", "") in _WORDS or _PLACEHOLDER.fullmatch(plain) is not None


def refuse_well_known(settings: Iterable[tuple[str, object]], environment: Mapping[str, str]) -> None:
    """Raise `WellKnownSecret` where one of the settings, or ``OPENAI_API_KEY``, is a secret that everybody knows.

    An empty one is none, and not judged here. The message names the variable, never its value.
    """
    named = [(f"VIVAVOCE_{name.upper()}", value) for name, value in settings]
    named.append(("OPENAI_API_KEY", SecretStr(environment.get("OPENAI_API_KEY", ""))))
    for name, value in named:
        if (
            isinstance(value, SecretStr)
            and value.get_secret_value()
            and is_well_known(value.get_secret_value())
        ):
            raise WellKnownSecret(
                f"{name}: expected a secret of your own, got a placeholder that everybody knows. "
                "`python3 -c 'import secrets; print(secrets.token_urlsafe(32))'` makes one."
            )
