"""SIGKILL at chosen moments of a workflow, each followed by `switchyard up --only PART`, as a service manager would do it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from tests.support.live_stack import LiveStack, until
from tests.support.moments import Moment, told, waiting_for

PATIENCE = 150.0
"""Seconds until a moment must have come: an activity that died with its worker is tried again when its timeout is over."""


@dataclass
class Killer:
    """Kills one part at one moment after the other. The next moment is waited for before the part is started again, so that
    none can be missed. `killed`: what it struck, in words."""

    stack: LiveStack
    part: str = "worker"
    killed: list[str] = field(default_factory=list)
    _reviving: subprocess.Popen[str] | None = None

    def through(self, workflow_id: str, moments: Sequence[Moment], meanwhile: Callable[[], object] = lambda: None) -> None:
        """Kill at each of the moments; `meanwhile` is called after each, when the part is dead."""
        for each in moments:
            self.at(workflow_id, each)
            meanwhile()

    def at(self, workflow_id: str, what: Moment, during: Callable[[], object] = lambda: None) -> None:
        """`during` brings the moment about; it is called when the moment is waited for already."""
        coming = waiting_for(self.stack, workflow_id, what)
        self.revive()
        during()
        try:
            self.killed.append(coming.result(PATIENCE))
        except TimeoutError:
            raise AssertionError(f"'{what}' did not come:\n" + "\n".join(told(self.stack, workflow_id))) from None
        self.strike()

    def strike(self) -> None:
        """SIGKILL now. A part that is just being started is killed too."""
        record = until(lambda: self.stack.record(self.part), f"a {self.part} runs", 20)
        with contextlib.suppress(ProcessLookupError):
            os.kill(record.pid, signal.SIGKILL)
        until(lambda: not record.alive, f"the {self.part} is dead")
        if self._reviving:
            self._reviving.communicate(timeout=90)
            self._reviving = None

    def revive(self) -> None:
        """Begin to start the part, if it is dead and nobody does already."""
        if self._reviving is None and self.stack.record(self.part) is None:
            self._reviving = self.stack.begin_up(self.part)

    def revived(self) -> None:
        """The part is back and healthy."""
        self.revive()
        if self._reviving:
            said, _ = self._reviving.communicate(timeout=90)
            assert self._reviving.returncode == 0, said
            self._reviving = None
        assert self.stack.record(self.part), f"the {self.part} is gone again:\n{self.stack.log(self.part)[-2000:]}"


@contextlib.contextmanager
def killer(stack: LiveStack, part: str = "worker") -> Iterator[Killer]:
    """A killer that leaves the part running."""
    deadly = Killer(stack, part)
    yield deadly
    deadly.revived()
