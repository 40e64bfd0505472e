"""How much is measured."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Plan:
    """`repetitions` of what takes about a second or less; what takes longer is repeated less. `quick` is for trying out."""

    repetitions: int = 30
    quick: bool = False

    def few(self, share: int) -> int:
        """A share of the repetitions, at least two."""
        return max(2, self.repetitions // share)
