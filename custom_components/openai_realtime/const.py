"""Names and defaults of the integration."""

import logging
from typing import Final

DOMAIN: Final = "openai_realtime"
LOGGER = logging.getLogger(__package__)

AGENT: Final = "agent"
MCP_SERVER: Final = "mcp_server"
"""The types of subentries."""

# Of an entry.
CONF_KIND: Final = "kind"
OPENAI: Final = "openai"
GATEWAY: Final = "gateway"
COMPATIBLE: Final = "compatible"

OPENAI_URL: Final = "https://api.openai.com/v1"
GATEWAY_URL: Final = "http://homeassistant.local:8000/v1"

CONF_IDLE: Final = "idle_seconds"
DEFAULT_IDLE: Final = 300
"""How long a session waits for the next turn: as long as Home Assistant keeps a conversation."""
CONF_MAX_SESSIONS: Final = "max_sessions"
DEFAULT_MAX_SESSIONS: Final = 8

# Of an agent.
CONF_MAX_OUTPUT_TOKENS: Final = "max_output_tokens"
CONF_TURN_DETECTION: Final = "turn_detection"
CONF_TRANSCRIPTION: Final = "transcription_model"
CONF_VOICE: Final = "voice"
CONF_SPEED: Final = "speed"
CONF_FOLLOW_UP: Final = "follow_up"
CONF_SPEAKER: Final = "speaker"

DEFAULT_MODEL: Final = "gpt-realtime-2.1"
MODELS: Final = ("gpt-realtime-2.1", "gpt-realtime-2.1-mini", "gpt-realtime-2", "gpt-realtime-1.5")
DEPRECATED_MODELS: Final = {
    "gpt-4o-realtime-preview": DEFAULT_MODEL,
    "gpt-4o-mini-realtime-preview": "gpt-realtime-2.1-mini",
    "gpt-realtime": DEFAULT_MODEL,
    "gpt-realtime-mini": "gpt-realtime-2.1-mini",
}
"""Models that are gone with the beta, or go on 2027-01-20, and what to take instead; dated snapshots go with them."""

DEFAULT_VOICE: Final = "marin"
VOICES: Final = ("alloy", "ash", "ballad", "cedar", "coral", "echo", "marin", "sage", "shimmer", "verse")
DEFAULT_TRANSCRIPTION: Final = "gpt-4o-mini-transcribe"

BY_HOME_ASSISTANT: Final = "home_assistant"
BY_SILENCE: Final = "server_vad"
BY_SENSE: Final = "semantic_vad"
"""Who decides that somebody has finished speaking."""

ON_QUESTION: Final = "question"
BY_MODEL: Final = "model"
ALWAYS: Final = "always"
NEVER: Final = "never"
"""When a satellite listens again after an answer."""

# Of an MCP server.
CONF_ALLOWED: Final = "allowed_tools"
CONF_APPROVAL: Final = "approval"
CONF_FOR_ALL: Final = "for_all"
"""Whether every agent of the endpoint has its tools, or only those that are given them."""

MAX_TOOL_ROUNDS: Final = 10
"""Responses in a row that call tools; a model that makes more is going round in circles."""

ASK: Final = "ask"
ALLOW: Final = "allow"
REFUSE: Final = "refuse"
"""What becomes of calls that are risky."""

CONF_TOKEN: Final = "token"  # noqa: S105 - a name
