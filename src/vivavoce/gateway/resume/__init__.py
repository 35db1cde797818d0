"""Clients that come back: what they have not got yet, and the token by which they are known."""
