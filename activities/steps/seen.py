"""What is seen of a command that was started before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["running", "finished", "lost"]


@dataclass(frozen=True)
class Seen:
    """`lost`: it was started, and neither it nor a result is there any more. `passed`: finished with exit status 0."""

    state: State
    passed: bool = False
