"""Fixtures for all tests."""

from tests.support.temporal import client, temporal_server, unique

__all__ = ["client", "temporal_server", "unique"]
