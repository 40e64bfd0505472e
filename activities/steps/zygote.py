"""A small process that forks supervisors, so that starting one costs no interpreter start. Standard library only.

The worker starts it; it ends when the worker is gone, and supervisors go on. Each request is one descriptor, passed over the
socket: the supervisor that is forked for it reads its job there and answers there, so secrets never pass through the zygote.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import socket
import struct
from pathlib import Path
from typing import NoReturn

from activities.steps.job import Job, try_lock
from activities.steps.processes import start_time
from activities.steps.supervisor import ASKED, Supervisor

_SIZE = struct.Struct("!I")


def main(handle: int) -> None:
    """Serve the socket with descriptor `handle` until its other end is closed."""
    gc.disable()
    gc.freeze()
    # Nobody waits for supervisors: the kernel shall collect them.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(fileno=handle) as requests:
        while True:
            data, handles, _, _ = socket.recv_fds(requests, 1, 1)
            if not data:
                return
            for each in handles:
                if os.fork() == 0:
                    requests.close()
                    _supervise(each)
                os.close(each)


def _supervise(handle: int) -> NoReturn:
    status = 1
    try:
        os.setsid()
        os.set_inheritable(handle, False)
        # An abort that comes before the supervisor listens must wait, not kill it.
        signal.pthread_sigmask(signal.SIG_BLOCK, ASKED)
        serve(socket.socket(fileno=handle))
        status = 0
    finally:
        os._exit(status)


def serve(connection: socket.socket) -> None:
    """Read a job, answer 'started', 'taken' (another supervisor has it) or 'finished', and run it."""
    job = Job(**json.loads(receive(connection)))
    folder = Path(job.folder)
    lock = try_lock(folder / "lock")
    if lock is None:
        answer(connection, "taken")
        return
    if (folder / "result.json").exists():
        answer(connection, "finished")
        return
    os.truncate(lock, 0)
    os.write(lock, f"{os.getpid()} {start_time(os.getpid())}\n".encode())
    answer(connection, "started")
    try:
        Supervisor(job).run()
    except Exception as error:
        (folder / "problem").write_text(_where(error))
        raise


def _where(error: BaseException) -> str:
    """Without the error's text, which could quote a secret."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = f" at {Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace else ""
    number = f" ({error.strerror})" if isinstance(error, OSError) else ""
    return f"{type(error).__name__}{number}{place}"


def answer(connection: socket.socket, text: str) -> None:
    """The worker may be gone by now; the step is run all the same."""
    try:
        connection.sendall(text.encode())
    except OSError:
        return
    finally:
        connection.close()


def receive(connection: socket.socket) -> bytes:
    """One message: four bytes of size, then the message. Raises ConnectionError when the sender went away in its middle."""
    return _exactly(connection, _SIZE.unpack(_exactly(connection, _SIZE.size))[0])


def pack(message: bytes) -> bytes:
    return _SIZE.pack(len(message)) + message


def _exactly(connection: socket.socket, size: int) -> bytes:
    parts = []
    while size:
        part = connection.recv(min(size, 1 << 20))
        if not part:
            raise ConnectionError("the worker went away")
        parts.append(part)
        size -= len(part)
    return b"".join(parts)
