"""Who comes: keys, tokens of others, ephemeral keys, and the token of this machine.

`vivavoce.gateway.auth.door` has the two functions that routes call; all else is pure, or a thin shell.
"""

__all__: list[str] = []
