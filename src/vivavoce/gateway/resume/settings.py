"""Whether clients may come back to their sessions."""

from pydantic import Field
from pydantic_settings import BaseSettings

__all__ = ["ResumeSettings"]


class ResumeSettings(BaseSettings):
    """The settings of clients that come back."""

    resume_seconds: float = Field(
        0.0,
        ge=0,
        description="How long a client whose line broke may come back to its session "
        "([how](http.md#coming-back)); 0 ends the session with the line.",
    )
    resume_buffer_bytes: int = Field(
        2**21,
        ge=2**10,
        description="What is kept for a client of all that it may not have got; while it is away and there is no more "
        "room, the endpoint waits.",
    )
