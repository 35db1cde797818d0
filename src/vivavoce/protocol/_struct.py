"""What all structs of the protocol have in common."""

from typing import TypeAlias, TypeVar, Union

from msgspec import Struct, UnsetType

__all__ = ["Maybe", "Tagged"]

T = TypeVar("T")

Maybe: TypeAlias = Union[T, UnsetType, None]  # noqa: UP007 - mypy wants this form of a generic alias
"""A value, or null, or absent (`msgspec.UNSET`): on the wire these are three different things."""


class Tagged(Struct, kw_only=True, tag_field="type"):
    """A JSON object whose ``type`` says which struct it is."""

    @property
    def type(self) -> str:
        """The value of ``type`` on the wire."""
        return str(self.__struct_config__.tag)
