"""One file per measurement; each has `measure(plan)`, which gives figures."""
