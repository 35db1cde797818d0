"""Audio as numbers: PCM16, resampling, files, devices. Knows no protocol.

Samples are mono float32 in [-1, 1], shape (n,), wherever nothing else is said.
"""
