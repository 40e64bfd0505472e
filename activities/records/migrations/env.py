"""Alembic's entry: runs the migrations on the connection that `activities.records.migrate` hands in, in its transaction."""

from __future__ import annotations

from typing import Any, Literal

from alembic import context

from activities.records.tables import Base, Words


def _written(kind: str, thing: Any, _context: Any) -> str | Literal[False]:
    """A migration must not change when our own types do."""
    return "sa.Text()" if kind == "type" and isinstance(thing, Words) else False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_item=_written,
    render_as_batch=True,
    compare_type=True,
)
context.run_migrations()
