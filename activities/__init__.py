"""Layer 1: effects without ordering. One file per service; each activity is idempotent by a key from its input."""
