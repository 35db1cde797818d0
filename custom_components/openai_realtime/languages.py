"""The languages that are offered for speech; the models know more or less of them all."""

__all__ = ["LANGUAGES"]

# fmt: off
LANGUAGES = [
    "af", "ar", "az", "be", "bg", "bs", "ca", "cs", "cy", "da", "de", "el", "en", "es", "et", "fa",
    "fi", "fr", "gl", "he", "hi", "hr", "hu", "hy", "id", "is", "it", "ja", "kk", "kn", "ko", "lt",
    "lv", "mi", "mk", "mr", "ms", "ne", "nl", "no", "pl", "pt", "ro", "ru", "sk", "sl", "sr", "sv",
    "sw", "ta", "th", "tl", "tr", "uk", "ur", "vi", "zh",
]
"""ISO 639-1 codes of the languages that OpenAI names for its transcription models."""
