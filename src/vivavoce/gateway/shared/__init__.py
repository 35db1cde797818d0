"""What several processes of a gateway know together, in Redis or whatever speaks its protocol.

Nothing of it can be read there: sessions and what keys are for are sealed with keys that are made of the tokens
themselves, of which Redis has only digests.
"""
