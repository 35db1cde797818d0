"""The addresses that the gateway answers at, one file for each kind."""

__all__: list[str] = []
