"""One supervisor runs one process, writes its log and its result, and outlives the worker. Standard library only.

SIGUSR1 aborts: the step ends as cancelled. SIGTERM (a host that shuts down) ends the process without a result, so that the step
is run again elsewhere or later.
"""

from __future__ import annotations

import os
import resource
import select
import signal
import time
from pathlib import Path

from activities.steps.child import start
from activities.steps.job import Ending, Job, Outcome, Request, write_json
from activities.steps.masking import Masker
from activities.steps.processes import adopt_orphans, descendants, send
from activities.steps.steplog import StepLog

_PARTIAL_AFTER = 0.2
"""Seconds after which an unfinished line is shown."""
_KILL_EVERY = 0.02
ASKED = (signal.SIGUSR1, signal.SIGTERM)
_PIPE_READS = 64
"""Reads of 64 KiB that certainly empty a pipe after its last writer has gone (a pipe holds 1 MiB at most by default)."""
_GIVE_UP = 10.0
"""Seconds after SIGKILL when a process that cannot die (uninterruptible sleep) is left behind."""


class Supervisor:
    """`run` returns when the process and all its descendants have ended and the result is on disk."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._folder = Path(job.folder)
        masker = Masker(job.secrets)
        self._log = StepLog(Path(job.log), masker, start=job.log_start, budget=job.log_budget)
        self._started = time.time()
        self._deadline = time.monotonic() + job.timeout
        self._flush_at: float | None = None
        self._ending_since: float | None = None
        self._outcome: Outcome = "exited"
        self._interrupted = False
        self._status: int | None = None
        self._cpu, self._rss = 0.0, 0
        self._pid = -1
        self._output = -1

    def run(self) -> None:
        adopt_orphans()
        wake = self._listen()
        write_json(self._folder / "request.json", Request(self._job.mark, self._started), lasting=False)
        self._output, output = os.pipe2(os.O_CLOEXEC)
        self._pid, problem = start(self._job, output)
        os.close(output)
        if self._ending_since is not None:
            self._signal_all()
        self._supervise(wake)
        if self._outcome == "timed-out":
            self._log.line(f"[switchyard] {self._job.timeout_text}")
        elif problem:
            self._log.line(f"[switchyard] {problem}")
        if not self._interrupted:
            write_json(self._folder / "result.json", self._result(problem))
        self._log.close()

    def _listen(self) -> int:
        """Signals wake the loop through a pipe; those that came before were blocked and are delivered now."""
        wake, poke = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        signal.set_wakeup_fd(poke, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        signal.signal(signal.SIGUSR1, lambda number, frame: self._end("cancelled"))
        signal.signal(signal.SIGTERM, lambda number, frame: self._interrupt())
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ASKED)
        return wake

    def _supervise(self, wake: int) -> None:
        poll = select.poll()
        poll.register(wake, select.POLLIN)
        poll.register(self._output, select.POLLIN)
        while self._reap():
            for handle, _ in poll.poll(self._patience()):
                if handle == wake:
                    os.read(wake, 512)
                elif not self._pump():
                    poll.unregister(handle)
            self._on_time(time.monotonic())
        # A descriptor that was handed to a stranger may stay open: what is there now is all that counts.
        os.set_blocking(self._output, False)
        for _ in range(_PIPE_READS):
            if not self._pump():
                break
        self._log.flush(final=True)

    def _patience(self) -> int:
        """Milliseconds until something is due."""
        now = time.monotonic()
        due = [self._deadline if self._ending_since is None else max(self._ending_since + self._job.grace, now + _KILL_EVERY)]
        if self._flush_at is not None:
            due.append(self._flush_at)
        return max(0, int((min(due) - now) * 1000) + 1)

    def _on_time(self, now: float) -> None:
        if self._flush_at is not None and now >= self._flush_at:
            self._flush_at = None
            self._log.flush()
        if now >= self._deadline and self._ending_since is None:
            self._end("timed-out")
        if self._ending_since is not None and now >= self._ending_since + self._job.grace:
            send(descendants(os.getpid()), signal.SIGKILL)

    def _pump(self) -> bool:
        """Read what there is; False when there is nothing more. Called when poll says so, it never waits."""
        try:
            data = os.read(self._output, 65536)
        except BlockingIOError:
            return False
        self._log.feed(data)
        if self._log.waiting and self._flush_at is None:
            self._flush_at = time.monotonic() + _PARTIAL_AFTER
        return bool(data)

    def _reap(self) -> bool:
        """Collect who has ended; False when nobody is left. What outlives the main process is ended."""
        while True:
            try:
                pid, status, usage = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                return False
            if pid == 0:
                break
            self._count(pid, status, usage)
        if self._status is not None and self._ending_since is None:
            self._end(self._outcome)
        stuck = self._ending_since is not None and time.monotonic() > self._ending_since + self._job.grace + _GIVE_UP
        return not stuck

    def _count(self, pid: int, status: int, usage: resource.struct_rusage) -> None:
        self._cpu += usage.ru_utime + usage.ru_stime
        self._rss = max(self._rss, usage.ru_maxrss * 1024)
        if pid == self._pid:
            self._status = os.waitstatus_to_exitcode(status)

    def _end(self, outcome: Outcome) -> None:
        """Ask all to end; who has not after the grace is killed. The first reason counts."""
        if self._ending_since is not None:
            return
        self._ending_since = time.monotonic()
        if self._status is None:
            self._outcome = outcome
        self._signal_all()

    def _signal_all(self) -> None:
        everybody = descendants(os.getpid())
        send(everybody, signal.SIGTERM)
        send(everybody, signal.SIGCONT)

    def _interrupt(self) -> None:
        if self._ending_since is None:
            self._interrupted = True
        self._end("cancelled")

    def _result(self, problem: str) -> Ending:
        code = None if problem else self._status
        return Ending(
            outcome=self._outcome,
            exit_code=code,
            started_at=self._started,
            finished_at=time.time(),
            cpu_seconds=round(self._cpu, 6),
            max_rss=self._rss,
            message=self._message(problem),
        )

    def _message(self, problem: str) -> str:
        if self._outcome == "timed-out":
            return self._job.timeout_text
        if self._outcome == "cancelled":
            return "cancelled"
        if problem or not self._status:
            return problem
        how = f"exit status {self._status}" if self._status > 0 else _signal(-self._status)
        last = self._log.last()
        return f"{how}: {last}" if last else how


def _signal(number: int) -> str:
    name = signal.Signals(number).name if number in set(signal.Signals) else f"signal {number}"
    hints = {"SIGKILL": " (the host may be out of memory)", "SIGXCPU": " (its limit of CPU seconds)"}
    return f"ended by {name}{hints.get(name, '')}"
