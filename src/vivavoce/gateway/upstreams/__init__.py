"""The endpoints that a gateway can stand in front of: the engine in this process, and those across a network."""
