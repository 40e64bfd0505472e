"""Commands as supervised processes: started once, attached to, followed, aborted, found again."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from activities.steps.job import MARK, Ending, Job, Request, read_json, try_lock
from activities.steps.launcher import Launcher
from activities.steps.processes import marked, send, start_time
from activities.steps.seen import Seen
from pipelines.errors import Busy, Unavailable

_BEAT = 0.5
"""Seconds between two heartbeats; Temporal's SDK throttles them to the worker's own interval."""


@dataclass(frozen=True)
class Supervised:
    """One command's folder; `beat` is called every half second while somebody waits for it."""

    folder: Path
    launcher: Launcher
    beat: Callable[[], None]

    def look(self) -> Seen | None:
        """None when it was never started."""
        if not self.folder.is_dir():
            return None
        if self.ending() is None:
            lock = try_lock(self.folder / "lock")
            if lock is None:
                return Seen("running")
            os.close(lock)
        # The supervisor may have ended between the two looks.
        ending = self.ending()
        return Seen("lost") if ending is None else Seen("finished", ending.passed)

    def ending(self) -> Ending | None:
        return read_json(self.folder / "result.json", Ending)

    async def start(self, job: Job) -> None:
        """Start it, unless a supervisor has it already."""
        self.folder.mkdir(parents=True, exist_ok=True)
        await self.launcher.launch(job)

    async def wait(self) -> Ending:
        """Until it has ended. Raises Unavailable when its supervisor was killed, Busy when somebody unseen has it."""
        handle = await self._open()
        if handle is not None:
            try:
                await self._ended(handle)
            finally:
                os.close(handle)
        ending = self.ending()
        if ending is None:
            raise Unavailable(f"the step's supervisor was lost{self._problem()}", "The step is run again")
        return ending

    async def abort(self) -> None:
        """End the process with all its descendants; returns when they are gone and the result says cancelled."""
        handle = await self._open()
        if handle is None:
            return
        try:
            signal.pidfd_send_signal(handle, signal.SIGUSR1)
            await self._ended(handle)
        except ProcessLookupError:
            return
        finally:
            os.close(handle)

    async def clear(self) -> None:
        """Forget a lost command: end what is left of it, so that it can be started anew. Raises Busy when it is not lost."""
        lock = try_lock(self.folder / "lock")
        if lock is None:
            raise Busy("a step that seemed lost has come back", "It is attached to")
        try:
            request = read_json(self.folder / "request.json", Request)
            if request is not None:
                await self._end_leftovers(f"{MARK}={request.mark}")
            shutil.rmtree(self.folder)
        finally:
            os.close(lock)

    async def _end_leftovers(self, mark: str) -> None:
        for _ in range(100):
            left = await asyncio.to_thread(marked, mark)
            if not left:
                return
            send(left, signal.SIGKILL)
            await asyncio.sleep(0.02)
        raise Unavailable("processes of a lost step cannot be ended", "Look for processes in uninterruptible sleep on the host")

    async def _open(self) -> int | None:
        """A pidfd of the supervisor, None when it has ended. The lock tells that it is alive; its text, who it is."""
        for _ in range(50):
            lock = try_lock(self.folder / "lock")
            if lock is not None:
                os.close(lock)
                return None
            if (handle := self._pidfd()) is not None:
                return handle
            await asyncio.sleep(0.02)
        raise Busy("the step is held by a process that cannot be seen from here", "Do hosts share one state directory?")

    def _pidfd(self) -> int | None:
        words = (self.folder / "lock").read_text().split()
        if len(words) != 2:
            return None
        try:
            handle = os.pidfd_open(int(words[0]))
        except OSError:
            return None
        if start_time(int(words[0])) == int(words[1]):
            return handle
        os.close(handle)
        return None

    async def _ended(self, handle: int) -> None:
        loop = asyncio.get_running_loop()
        ended = asyncio.Event()
        loop.add_reader(handle, ended.set)
        try:
            while not ended.is_set():
                self.beat()
                await asyncio.wait([waiting := asyncio.ensure_future(ended.wait())], timeout=_BEAT)
                waiting.cancel()
        finally:
            loop.remove_reader(handle)

    def _problem(self) -> str:
        try:
            return f": {(self.folder / 'problem').read_text()}"
        except OSError:
            return ""
