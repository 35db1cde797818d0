"""What can be set about the gateway's own tools."""

from pathlib import Path
from typing import Annotated

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, NoDecode

__all__ = ["ServerToolSettings"]

_Names = Annotated[tuple[str, ...], NoDecode]


class ServerToolSettings(BaseSettings):
    """The part of the gateway's settings that says which tools it has. Who gets them is said by the policy."""

    tools: _Names = Field(
        (),
        description="Tools that the gateway runs itself: `weather`, `memory`, separated by commas. Who gets them says "
        "the [policy](policy.md).",
    )
    memory_file: Path = Field(
        Path("vivavoce-memory.sqlite"), description="Where `memory` keeps what it is told, for each user."
    )
    mcp_servers: _Names = Field(
        (),
        repr=False,  # an address may hold a token
        description="MCP servers whose tools the gateway runs itself, as `name=https://…`, separated by commas.",
    )

    @field_validator("tools", "mcp_servers", mode="before")
    @classmethod
    def _split_names(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(name.strip() for name in value.split(",") if name.strip())
        return value

    @field_validator("tools")
    @classmethod
    def _know(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            if name not in {"weather", "memory"}:
                raise ValueError(f"expected weather or memory, got {name!r}")
        return names

    @field_validator("mcp_servers")
    @classmethod
    def _name(cls, servers: tuple[str, ...]) -> tuple[str, ...]:
        for server in servers:
            name, _, url = server.partition("=")
            if not name or not url.startswith(("http://", "https://")):
                raise ValueError("expected name=https://…, separated by commas")
        return servers
