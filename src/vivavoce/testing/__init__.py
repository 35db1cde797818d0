"""Doubles: endpoints that play a script, so that what talks to one can be tested without network, key or model."""
