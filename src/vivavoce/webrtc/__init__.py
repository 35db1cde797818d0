"""Calls over WebRTC: speech as media, events on a data channel."""
