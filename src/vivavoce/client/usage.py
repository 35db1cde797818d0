"""What a session has used and what that costs. Pure."""

from dataclasses import dataclass, field

from vivavoce.client.prices import Price, price
from vivavoce.protocol.usage import CachedTokensDetails, InputTokenDetails, OutputTokenDetails, Usage

__all__ = ["Tokens", "UsageMeter", "cost"]

MILLION = 1_000_000


@dataclass(slots=True)
class Tokens:
    """Tokens by modality; the cached ones are among the input."""

    text: int = 0
    audio: int = 0
    image: int = 0
    text_cached: int = 0
    audio_cached: int = 0
    image_cached: int = 0
    text_output: int = 0
    audio_output: int = 0

    @property
    def input(self) -> int:
        """All that was read."""
        return self.text + self.audio + self.image

    @property
    def output(self) -> int:
        """All that was written and spoken."""
        return self.text_output + self.audio_output

    def add(self, usage: Usage) -> None:
        """Add what a response used. Where a server gives no modality, it is taken for text."""
        read = usage.input_token_details or InputTokenDetails(text_tokens=usage.input_tokens)
        cached = read.cached_tokens_details or CachedTokensDetails(text_tokens=read.cached_tokens)
        made = usage.output_token_details or OutputTokenDetails(text_tokens=usage.output_tokens)
        self.text += read.text_tokens
        self.audio += read.audio_tokens
        self.image += read.image_tokens
        self.text_cached += cached.text_tokens
        self.audio_cached += cached.audio_tokens
        self.image_cached += cached.image_tokens
        self.text_output += made.text_tokens
        self.audio_output += made.audio_tokens


@dataclass(slots=True)
class UsageMeter:
    """The sum over a session's responses."""

    tokens: Tokens = field(default_factory=Tokens)
    responses: int = 0

    def add(self, usage: Usage | None) -> None:
        """Count a response that is done."""
        self.responses += 1
        if usage is not None:
            self.tokens.add(usage)

    def cost(self, model: str) -> float | None:
        """Return US dollars; None where the model's prices are unknown."""
        found = price(model)
        return None if found is None else cost(self.tokens, found)


def cost(tokens: Tokens, price: Price) -> float:
    """Return what tokens cost, in US dollars."""
    return (
        (tokens.text - tokens.text_cached) * price.text
        + tokens.text_cached * price.text_cached
        + (tokens.audio - tokens.audio_cached) * price.audio
        + tokens.audio_cached * price.audio_cached
        + (tokens.image - tokens.image_cached) * price.image
        + tokens.image_cached * price.image_cached
        + tokens.text_output * price.text_output
        + tokens.audio_output * price.audio_output
    ) / MILLION
