"""Other ways to say what the protocol says, translated both ways. Pure: no sockets, no tasks, the time passed in."""
