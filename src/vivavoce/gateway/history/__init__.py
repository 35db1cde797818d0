"""What was said in the gateway's sessions: kept, read, exported and forgotten."""
