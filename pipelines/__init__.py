"""Layer 0: the pipeline language and every pure decision. No I/O happens here, except reading a file handed in."""
