"""A session of the engine: a pure state machine (`machine.Session`) and its parts."""
