"""Frozen inputs and results of workflows, updates and activities; one file per service."""
