"""Running the gateway: what it tells of itself, and how it starts, stops and stands behind others."""
