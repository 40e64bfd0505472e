"""Layer 1: order and waiting, no I/O. Every effect is an activity, called through its port."""
