"""Realtime voice for Python: client, gateway, web page and speech engine, all speaking the Realtime protocol."""

__version__ = "0.1.0"
