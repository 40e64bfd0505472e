"""Other engines doing the same ten steps: each installed in an environment of its own, started and ended here."""
