/**
 * What the console knows of the protocol. Made by docs/reference/generate_web.py: change it in vivavoce.protocol.
 */

/**
 * Each event, who sends it, and what it is.
 * @type {{[type: string]: {dir: 'C' | 'S', says: string}}}
 */
export const EVENTS = {
  "conversation.created": {
    "dir": "S",
    "says": "A conversation exists. Today's servers do not send it."
  },
  "conversation.item.added": {
    "dir": "S",
    "says": "An item is in the conversation, though it may still be growing."
  },
  "conversation.item.create": {
    "dir": "C",
    "says": "Add an item to the conversation."
  },
  "conversation.item.created": {
    "dir": "S",
    "says": "The beta's name of conversation.item.added; listed in GA, not seen on its wire."
  },
  "conversation.item.delete": {
    "dir": "C",
    "says": "Take an item out of the conversation."
  },
  "conversation.item.deleted": {
    "dir": "S",
    "says": "An item is gone."
  },
  "conversation.item.done": {
    "dir": "S",
    "says": "An item is whole."
  },
  "conversation.item.input_audio_transcription.completed": {
    "dir": "S",
    "says": "All that the user said."
  },
  "conversation.item.input_audio_transcription.delta": {
    "dir": "S",
    "says": "More of what the user said; it may come before the item does."
  },
  "conversation.item.input_audio_transcription.failed": {
    "dir": "S",
    "says": "The user's speech could not be transcribed; the conversation goes on."
  },
  "conversation.item.input_audio_transcription.segment": {
    "dir": "S",
    "says": "What one speaker said, from models that tell speakers apart."
  },
  "conversation.item.retrieve": {
    "dir": "C",
    "says": "Ask for an item, audio included."
  },
  "conversation.item.retrieved": {
    "dir": "S",
    "says": "The item that the client asked for, audio included."
  },
  "conversation.item.truncate": {
    "dir": "C",
    "says": "Cut an assistant's audio at what was heard."
  },
  "conversation.item.truncated": {
    "dir": "S",
    "says": "An assistant's audio has been cut."
  },
  "error": {
    "dir": "S",
    "says": "Something was refused or failed; the session goes on."
  },
  "input_audio_buffer.append": {
    "dir": "C",
    "says": "Add audio to the input buffer. Not answered."
  },
  "input_audio_buffer.clear": {
    "dir": "C",
    "says": "Forget what is in the buffer."
  },
  "input_audio_buffer.cleared": {
    "dir": "S",
    "says": "The buffer is empty."
  },
  "input_audio_buffer.commit": {
    "dir": "C",
    "says": "Make a user message of the buffer, which must hold 100 ms or more."
  },
  "input_audio_buffer.committed": {
    "dir": "S",
    "says": "The buffer becomes a user message."
  },
  "input_audio_buffer.dtmf_event_received": {
    "dir": "S",
    "says": "A key was pressed on a telephone (SIP only). The one server event without a required event_id."
  },
  "input_audio_buffer.speech_started": {
    "dir": "S",
    "says": "The user has begun to speak."
  },
  "input_audio_buffer.speech_stopped": {
    "dir": "S",
    "says": "The user has stopped speaking."
  },
  "input_audio_buffer.timeout_triggered": {
    "dir": "S",
    "says": "Nobody has spoken for idle_timeout_ms."
  },
  "mcp_list_tools.completed": {
    "dir": "S",
    "says": "The MCP server has told its tools."
  },
  "mcp_list_tools.failed": {
    "dir": "S",
    "says": "The MCP server has not told its tools."
  },
  "mcp_list_tools.in_progress": {
    "dir": "S",
    "says": "The server is asking an MCP server for its tools."
  },
  "output_audio_buffer.clear": {
    "dir": "C",
    "says": "Stop the audio that is playing (WebRTC and SIP only)."
  },
  "output_audio_buffer.cleared": {
    "dir": "S",
    "says": "The playing was broken off."
  },
  "output_audio_buffer.started": {
    "dir": "S",
    "says": "The server has begun to play a response (WebRTC and SIP only, as are the next two)."
  },
  "output_audio_buffer.stopped": {
    "dir": "S",
    "says": "A response has been played to its end."
  },
  "rate_limits.updated": {
    "dir": "S",
    "says": "Sent after response.done."
  },
  "response.cancel": {
    "dir": "C",
    "says": "Stop a response: the one named, or else that of the default conversation."
  },
  "response.content_part.added": {
    "dir": "S",
    "says": "A response begins a part of a message."
  },
  "response.content_part.done": {
    "dir": "S",
    "says": "A response has ended a part of a message."
  },
  "response.create": {
    "dir": "C",
    "says": "Ask for a response."
  },
  "response.created": {
    "dir": "S",
    "says": "A response has begun."
  },
  "response.done": {
    "dir": "S",
    "says": "A response has ended, in whatever way; always sent."
  },
  "response.function_call_arguments.delta": {
    "dir": "S",
    "says": "More of a function's arguments."
  },
  "response.function_call_arguments.done": {
    "dir": "S",
    "says": "A function's arguments, whole."
  },
  "response.mcp_call.completed": {
    "dir": "S",
    "says": "An MCP tool has answered."
  },
  "response.mcp_call.failed": {
    "dir": "S",
    "says": "An MCP tool has failed."
  },
  "response.mcp_call.in_progress": {
    "dir": "S",
    "says": "The server is calling an MCP tool."
  },
  "response.mcp_call_arguments.delta": {
    "dir": "S",
    "says": "More of an MCP tool's arguments."
  },
  "response.mcp_call_arguments.done": {
    "dir": "S",
    "says": "An MCP tool's arguments, whole."
  },
  "response.output_audio.delta": {
    "dir": "S",
    "says": "More speech."
  },
  "response.output_audio.done": {
    "dir": "S",
    "says": "All the speech has been sent."
  },
  "response.output_audio_transcript.delta": {
    "dir": "S",
    "says": "More of what is spoken, as text."
  },
  "response.output_audio_transcript.done": {
    "dir": "S",
    "says": "All that was spoken, as text."
  },
  "response.output_item.added": {
    "dir": "S",
    "says": "A response begins an item."
  },
  "response.output_item.done": {
    "dir": "S",
    "says": "A response has ended an item."
  },
  "response.output_text.delta": {
    "dir": "S",
    "says": "More text."
  },
  "response.output_text.done": {
    "dir": "S",
    "says": "The whole text."
  },
  "session.created": {
    "dir": "S",
    "says": "The first event of a connection."
  },
  "session.update": {
    "dir": "C",
    "says": "Change the session's configuration; answered by session.updated."
  },
  "session.updated": {
    "dir": "S",
    "says": "The session, after a change."
  }
};

/**
 * Each field of a session that may be asked for, by its dotted path; those of a kind of turn detection behind its name.
 * @type {{[path: string]: {type: string, says: string, choices?: string[], minimum?: number, maximum?: number}}}
 */
export const FIELDS = {
  "model": {
    "type": "string",
    "says": "Only when a session is made; session.update cannot change it."
  },
  "output_modalities": {
    "type": "array",
    "says": ""
  },
  "instructions": {
    "type": "string",
    "says": "An empty string restores the server's own instructions."
  },
  "tool_choice": {
    "type": "string",
    "says": "",
    "choices": [
      "auto",
      "none",
      "required"
    ]
  },
  "tool_choice.function.name": {
    "type": "string",
    "says": ""
  },
  "tool_choice.mcp.server_label": {
    "type": "string",
    "says": ""
  },
  "tool_choice.mcp.name": {
    "type": "string",
    "says": ""
  },
  "max_output_tokens": {
    "type": "integer",
    "says": "",
    "minimum": 1,
    "maximum": 4096,
    "choices": [
      "inf"
    ]
  },
  "reasoning.effort": {
    "type": "string",
    "says": "",
    "choices": [
      "high",
      "low",
      "medium",
      "minimal",
      "xhigh"
    ]
  },
  "parallel_tool_calls": {
    "type": "boolean",
    "says": ""
  },
  "audio.input.format.audio/pcm.rate": {
    "type": "integer",
    "says": "Samples per second; OpenAI knows only 24000, and clients may leave it out."
  },
  "audio.input.transcription.model": {
    "type": "string",
    "says": ""
  },
  "audio.input.transcription.language": {
    "type": "string",
    "says": ""
  },
  "audio.input.transcription.prompt": {
    "type": "string",
    "says": ""
  },
  "audio.input.transcription.delay": {
    "type": "string",
    "says": "Only with gpt-realtime-whisper.",
    "choices": [
      "high",
      "low",
      "medium",
      "minimal",
      "xhigh"
    ]
  },
  "audio.input.transcription.keywords": {
    "type": "array",
    "says": ""
  },
  "audio.input.transcription.languages": {
    "type": "array",
    "says": ""
  },
  "audio.input.noise_reduction.strength": {
    "type": "number",
    "says": ""
  },
  "audio.input.noise_reduction.type": {
    "type": "string",
    "says": "What kind of microphone to clean up after.",
    "choices": [
      "far_field",
      "near_field"
    ]
  },
  "audio.input.turn_detection.server_vad.threshold": {
    "type": "number",
    "says": "",
    "minimum": 0,
    "maximum": 1
  },
  "audio.input.turn_detection.server_vad.prefix_padding_ms": {
    "type": "integer",
    "says": "",
    "minimum": 0
  },
  "audio.input.turn_detection.server_vad.silence_duration_ms": {
    "type": "integer",
    "says": "",
    "minimum": 0
  },
  "audio.input.turn_detection.server_vad.idle_timeout_ms": {
    "type": "integer",
    "says": "",
    "minimum": 5000,
    "maximum": 30000
  },
  "audio.input.turn_detection.server_vad.create_response": {
    "type": "boolean",
    "says": ""
  },
  "audio.input.turn_detection.server_vad.interrupt_response": {
    "type": "boolean",
    "says": ""
  },
  "audio.input.turn_detection.semantic_vad.eagerness": {
    "type": "string",
    "says": "",
    "choices": [
      "auto",
      "high",
      "low",
      "medium"
    ]
  },
  "audio.input.turn_detection.semantic_vad.create_response": {
    "type": "boolean",
    "says": ""
  },
  "audio.input.turn_detection.semantic_vad.interrupt_response": {
    "type": "boolean",
    "says": ""
  },
  "audio.output.format.audio/pcm.rate": {
    "type": "integer",
    "says": "Samples per second; OpenAI knows only 24000, and clients may leave it out."
  },
  "audio.output.voice": {
    "type": "string",
    "says": ""
  },
  "audio.output.voice.id": {
    "type": "string",
    "says": ""
  },
  "audio.output.speed": {
    "type": "number",
    "says": "",
    "minimum": 0.25,
    "maximum": 1.5
  }
};
