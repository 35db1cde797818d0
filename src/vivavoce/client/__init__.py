"""Talk to any Realtime endpoint: in this process, or anywhere else."""

from vivavoce.client.connection import Connection
from vivavoce.client.conversation import Conversation, ConversationItem
from vivavoce.client.notices import ConnectionInterrupted, Loss, StateRestored
from vivavoce.client.realtime import RealtimeClient
from vivavoce.client.recording import Recorder, Recording
from vivavoce.client.remote_player import RemotePlayer
from vivavoce.client.reply import Reply
from vivavoce.client.retrying import Reconnect
from vivavoce.client.sync import SyncRealtimeClient, SyncReply
from vivavoce.client.transport import Transport, WebSocketTransport

__all__ = [
    "Connection",
    "ConnectionInterrupted",
    "Conversation",
    "ConversationItem",
    "Loss",
    "RealtimeClient",
    "Reconnect",
    "Recorder",
    "Recording",
    "RemotePlayer",
    "Reply",
    "StateRestored",
    "SyncRealtimeClient",
    "SyncReply",
    "Transport",
    "WebSocketTransport",
]
