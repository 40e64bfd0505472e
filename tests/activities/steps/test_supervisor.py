"""One supervisor, without worker and zygote: what it leaves behind for each way in which a process can end."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from activities.steps.job import MARK, Ending, Job, Request, read_json, try_lock, write_json
from activities.steps.zygote import pack, receive
from pipelines.logfile import parse
from tests.support.steps import ROOT, alive


class Bench:
    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder = root / "00"
        self.folder.mkdir()
        self.process: subprocess.Popen[bytes] | None = None

    def job(self, script: str, **more: Any) -> Job:
        env = {"PATH": os.environ["PATH"], MARK: "m"}
        known: dict[str, Any] = {"timeout": 30.0, "timeout_text": "timed out after 30s", "grace": 0.3, "secrets": ["hunter22"]}
        argv = more.pop("argv", ["sh", "-c", script])
        place = {"folder": str(self.folder), "cwd": str(self.root), "log": str(self.root / "log")}
        return Job(mark="m", argv=argv, env=env, **place, **(known | more))

    def start(self, job: Job) -> str:
        ours, theirs = socket.socketpair()
        with ours:
            with theirs:
                command = [sys.executable, "-m", "tests.support.serve_job", str(theirs.fileno())]
                self.process = subprocess.Popen(command, cwd=ROOT, pass_fds=[theirs.fileno()])
            ours.sendall(pack(json.dumps(asdict(job)).encode()))
            return ours.recv(64).decode()

    def wait(self) -> Ending | None:
        assert self.process
        assert self.process.wait(30) == 0
        return read_json(self.folder / "result.json", Ending)

    def run(self, script: str, **more: Any) -> Ending:
        assert self.start(self.job(script, **more)) == "started"
        ending = self.wait()
        assert ending is not None
        return ending

    def until(self, true: Callable[[], object]) -> None:
        deadline = time.monotonic() + 20
        while not true():
            assert time.monotonic() < deadline
            time.sleep(0.01)

    def log(self) -> list[str]:
        """Lines as they were written; one that was shown before its end came is one line."""
        lines: list[str] = []
        for line in map(parse, (self.root / "log").read_text().splitlines()):
            if line.continues:
                lines[-1] += line.text
            else:
                lines.append(line.text)
        return lines


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path)
    yield bench
    if bench.process and bench.process.poll() is None:
        bench.process.kill()
        bench.process.wait()


def test_it_passes(bench: Bench) -> None:
    ending = bench.run("echo hunter22 is the word")
    assert (ending.outcome, ending.exit_code, ending.passed, ending.message) == ("exited", 0, True, "")
    assert bench.log() == ["*** is the word"]
    assert bench.root.joinpath("00", "request.json").exists()
    assert "hunter22" not in "".join(path.read_text() for path in bench.folder.iterdir())


def test_the_standard_output_can_go_to_a_file(bench: Bench) -> None:
    bench.run("echo report; echo words >&2", stdout=str(bench.root / "report"))
    assert (bench.root / "report").read_text() == "report\n"
    assert bench.log() == ["words"]


def test_a_file_for_the_output_that_cannot_be(bench: Bench) -> None:
    ending = bench.run("echo report", stdout=str(bench.root / "no" / "report"))
    assert (ending.exit_code, ending.message) == (None, "sh could not be started: No such file or directory")


@pytest.mark.parametrize(
    ("argv", "cwd", "message"),
    [
        (["no-such-program", "x"], ".", "no-such-program is not installed on this host"),
        (["/etc/passwd"], ".", "passwd could not be started: Permission denied"),
        (["sh"], "missing", "sh could not be started: No such file or directory"),
    ],
)
def test_what_cannot_be_started(bench: Bench, argv: list[str], cwd: str, message: str) -> None:
    bench.start(replace(bench.job("", argv=argv), cwd=str(bench.root / cwd)))
    ending = bench.wait()
    assert ending is not None
    assert (ending.exit_code, ending.message) == (None, message)
    assert bench.log() == [f"[switchyard] {message}"]


def test_limits(bench: Bench) -> None:
    ending = bench.run("ulimit -n; ulimit -v", limits={"RLIMIT_NOFILE": 40, "RLIMIT_AS": 1 << 30})
    assert ending.passed
    assert bench.log() == ["40", str(1 << 20)]


def test_its_time_ends(bench: Bench) -> None:
    ending = bench.run(
        "trap '' TERM; setsid sleep 60 & while :; do sleep 0.05; done", timeout=0.3, timeout_text="timed out after 300ms"
    )
    assert (ending.outcome, ending.message) == ("timed-out", "timed out after 300ms")
    assert 0.5 < ending.finished_at - ending.started_at < 10
    assert bench.log() == ["[switchyard] timed out after 300ms"]


def test_an_abort(bench: Bench) -> None:
    bench.start(bench.job("echo $$ > pid; sleep 60"))
    bench.until(lambda: (bench.root / "pid").exists() and (bench.root / "pid").read_text())
    assert bench.process
    bench.process.send_signal(signal.SIGUSR1)
    ending = bench.wait()
    assert ending is not None and (ending.outcome, ending.message) == ("cancelled", "cancelled")
    assert not alive(int((bench.root / "pid").read_text()))


def test_an_abort_before_there_is_anything_to_abort(bench: Bench) -> None:
    """Signals wait until somebody listens; whatever was started is ended."""
    bench.start(bench.job("sleep 60"))
    assert bench.process
    bench.process.send_signal(signal.SIGUSR1)
    ending = bench.wait()
    assert ending is not None and ending.outcome == "cancelled"


def test_the_end_of_the_host_is_no_result(bench: Bench) -> None:
    bench.start(bench.job("echo $$ > pid; sleep 60"))
    bench.until(lambda: (bench.root / "pid").exists() and (bench.root / "pid").read_text())
    assert bench.process
    bench.process.send_signal(signal.SIGTERM)
    assert bench.wait() is None
    assert not alive(int((bench.root / "pid").read_text()))


def test_an_abort_that_comes_when_all_is_over_changes_nothing(bench: Bench) -> None:
    bench.start(bench.job("(trap '' TERM; sleep 0.2) & exit 3", grace=5.0))
    time.sleep(0.05)
    assert bench.process
    bench.process.send_signal(signal.SIGUSR1)
    ending = bench.wait()
    assert ending is not None and ending.exit_code is not None


def test_output_that_comes_faster_than_it_is_read_is_all_there(bench: Bench) -> None:
    bench.run("seq 1 60000")
    assert bench.log() == [str(number) for number in range(1, 60001)]


def test_output_without_an_end_of_line_is_shown_soon(bench: Bench) -> None:
    bench.start(bench.job("printf 'password: '; sleep 60"))
    bench.until(lambda: (bench.root / "log").exists() and bench.log() == ["password: "])
    assert bench.process
    bench.process.send_signal(signal.SIGUSR1)
    bench.wait()


def test_what_another_supervisor_has_is_left_to_it(bench: Bench) -> None:
    lock = try_lock(bench.folder / "lock")
    assert lock is not None
    assert bench.start(bench.job("echo ran > effects")) == "taken"
    assert bench.wait() is None
    os.close(lock)
    assert not (bench.root / "effects").exists()


def test_what_has_ended_is_not_run_again(bench: Bench) -> None:
    bench.run("echo ran >> effects")
    assert bench.start(bench.job("echo ran >> effects")) == "finished"
    bench.wait()
    assert (bench.root / "effects").read_text() == "ran\n"


def test_a_supervisor_that_breaks_says_where_and_no_secret(bench: Bench) -> None:
    job = bench.job("true")
    bench.start(replace(job, log=str(bench.root / "hunter22" / "log")))
    assert bench.process
    assert bench.process.wait(30) == 1
    problem = (bench.folder / "problem").read_text()
    assert problem.startswith("FileNotFoundError (No such file or directory) at steplog.py:")


def test_a_message_that_is_cut_off() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.sendall(pack(b"0123456789")[:8])
        ours.close()
        with pytest.raises(ConnectionError):
            receive(theirs)


def test_a_message_of_any_size() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        message = os.urandom(70_000)
        ours.sendall(pack(message))
        assert receive(theirs) == message


def test_files_are_whole_or_not_there(tmp_path: Path) -> None:
    write_json(tmp_path / "request.json", Request("m", 1.5))
    assert read_json(tmp_path / "request.json", Request) == Request("m", 1.5)
    assert [path.name for path in tmp_path.iterdir()] == ["request.json"]
    assert read_json(tmp_path / "none.json", Request) is None
