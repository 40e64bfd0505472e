"""The built-in checks, one file per name of pipelines.builtins.

A check has no effects of its own but files in its scratch folder: it says which command to run next and how to read what the
command left. The step runner runs the commands, keeps the log and remembers what ended, so that a check goes on after a crash.
"""
