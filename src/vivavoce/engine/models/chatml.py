"""ChatML, the chat template of Qwen2.5 and SmolLM2, such that the prompts of one conversation share their beginning.

A prompt that is only prepared ends behind its last message, or in it, while that is unfinished; one that is to
be answered goes on with the header of the assistant's message. So the first is a prefix of every later one, byte
for byte. What may be called is told behind the instructions, in one system message, because it changes as seldom; two
examples follow.
"""

import re

from vivavoce.engine.models.calling import describe, examples, written
from vivavoce.engine.models.protocols import Message, Prompt

__all__ = ["END", "render"]

END = "<|im_end|>"
"""What ends a message, and an answer."""


_OPENING = re.compile(r"<(?=[|/a-z])")


def render(prompt: Prompt, *, answer: bool) -> str:
    """Render a prompt; with ``answer``, up to where the assistant's next message begins.

    Raises `ValueError` for a function that cannot be called.
    """
    messages = prompt.messages
    if prompt.functions:
        begun = messages[:1] if messages and messages[0].role == "system" else (Message("system"),)
        told = "\n\n".join(filter(None, [begun[0].text, describe(prompt.functions)]))
        rest = messages[1:] if messages[:1] == begun else messages
        messages = (Message("system", told), *examples(prompt.functions), *rest)
    text = "".join(map(_message, messages))
    if prompt.unfinished:
        text = text.removesuffix(f"{END}\n")
    return f"{text}<|im_start|>assistant\n" if answer else text


def _message(message: Message) -> str:
    text = _harmless("\n".join(filter(None, [message.text, *map(written, message.calls)])))
    if message.role == "tool":  # Qwen's way to tell what a function gave
        return f"<|im_start|>user\n<tool_response>\n{text}\n</tool_response>{END}\n"
    return f"<|im_start|>{message.role}\n{text}{END}\n"


def _harmless(text: str) -> str:
    """Break what the tokeniser would take for a control token: a message may not end itself, or begin another.

    Besides ``<|im_end|>`` and its like there are ``<file_sep>`` (SmolLM2) and ``<tool_call>`` (Qwen), and the
    template's own ``</tool_response>``. Each "<" is judged by the one character behind it: were whole names
    looked for, what is still being said would not begin what will have been said.
    """
    return _OPENING.sub("< ", text)
