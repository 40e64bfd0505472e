"""Releases as processes of this host.

identity, state, replica and supervisor use the standard library only: they run in the supervisor, a small process per release.
"""
