"""What can be set about who is let in."""

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings

__all__ = ["AuthSettings"]


class AuthSettings(BaseSettings):
    """The part of the gateway's settings that says who is let in."""

    keys_file: Path | None = Field(
        None,
        description="File with the API keys, as `vivavoce keys` writes it; with one, nobody is let in without a key. "
        "It is read again when it changes.",
    )
    token: SecretStr | None = Field(
        None,
        description="Token for pages of a gateway that asks for no keys; by default a new one at each start. It has "
        "no option: others could read it there.",
    )
    local_access: Literal["own", "token", "open"] = Field(
        "own",
        description="Who needs the token, where no keys are asked for. `own`: all but programs of the same user, so "
        "pages, other users of this machine and whoever comes through a proxy do "
        "([why](../decisions/0007-the-token-is-for-those-who-could-not-read-it.md)); `token`: everybody; `open`: "
        "nobody.",
    )
    jwt_secret: SecretStr | None = Field(
        None,
        description="Secret of at least 32 bytes with which somebody signs JSON web tokens for users (HS256). It has "
        "no option.",
    )
    jwt_keys: str | None = Field(
        None,
        description="Public keys of somebody who signs JSON web tokens for users (RS256): the address or the file of "
        "a JWKS. An address must be https, or on this machine.",
    )
    jwt_issuer: str | None = Field(None, description="What `iss` of a token must be. Needed with `jwt_keys`.")
    jwt_audience: str | None = Field(
        None, description="What `aud` of a token must be, or have in it. Needed with `jwt_keys`."
    )
    jwt_user_claim: str = Field("sub", description="The claim of a token that names the user.")
    jwt_group_claim: str = Field("group", description="The claim of a token that names the user's group.")
    jwt_admin_group: str | None = Field(
        None, description="The group whose members may see what belongs to others; nobody by default."
    )
    jwt_leeway_seconds: float = Field(
        30.0, ge=0, le=300, description="How far the clock of who signs tokens may be off."
    )
    jwt_keys_seconds: float = Field(
        300.0, ge=1, description="How long public keys are kept before they are asked for again."
    )
    client_secret_single_use: bool = Field(
        default=False, description="Let each ephemeral key open one session, even where nobody asks for that."
    )

    @property
    def asks_for_keys(self) -> bool:
        """Whether nobody is let in without a key, or a token that somebody signed."""
        return self.keys_file is not None or self.jwt_secret is not None or self.jwt_keys is not None
