"""Talk to any Realtime endpoint: in this process, or anywhere else."""
