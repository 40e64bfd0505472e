"""How a step is run, so that it is neither lost nor run twice when the worker dies.

masking, steplog, processes, job, supervisor and zygote use the standard library only: they run in processes of their own.
"""
