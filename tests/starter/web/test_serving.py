"""`switchyard serve` as a process: it ends well with streams open, and says why it cannot begin."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from temporalio.client import Client

from starter import runs
from tests.starter.conftest import request
from tests.starter.web.live import stream
from tests.support.ports import free_port


def environment(folder: Path, port: int, address: str, **more: str) -> dict[str, str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("SWITCHYARD_", "TEMPORAL_"))}
    own = {"STATE_DIR": str(folder), "PORTS__WEB": str(port), "PORTS__TEMPORAL": address.rpartition(":")[2]} | more
    return clean | {f"SWITCHYARD_{name}": value for name, value in own.items()}


@contextmanager
def serving(folder: Path, address: str, **more: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The process and its base URL, once it answers."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "starter.cli", "serve"],
        env=environment(folder, port, address, **more), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    try:
        _answers(process, f"http://127.0.0.1:{port}/healthz")
        yield process, f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


def _answers(process: subprocess.Popen[str], url: str) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        assert process.poll() is None, process.communicate()[0]
        try:
            if httpx.get(url, timeout=2).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    raise AssertionError("serve does not answer")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_streams_and_process(
    tmp_path: Path, standin_server: str, standins: Client, number: signal.Signals
) -> None:
    run = request("work")
    await runs.start(standins, run)
    with serving(tmp_path, standin_server) as (process, base):
        async with (
            stream(f"{base}/api/runs/{run.workflow_id}/events") as events,
            stream(f"{base}/api/runs/{run.workflow_id}/logs/build/0") as lines,
        ):
            assert (await anext(events)).event == "run"
            process.send_signal(number)
            async with asyncio.timeout(10):
                told = [each.event async for each in events] + [each.event async for each in lines]
        status = await asyncio.to_thread(process.wait, 10)
        output = process.stdout.read() if process.stdout else ""
    assert "end" not in told, "a stream that is cut off is not one that has ended"
    assert status == 0, output
    assert "Traceback" not in output


def test_it_starts_without_temporal_and_says_so(tmp_path: Path) -> None:
    with serving(tmp_path, f"127.0.0.1:{free_port()}") as (process, base):
        assert httpx.get(f"{base}/readyz").status_code == 503
        process.terminate()
        output, _ = process.communicate(timeout=10)
    assert process.returncode == 0
    assert "Temporal does not answer" in output


def test_a_port_in_use_and_a_foreign_address_are_told(tmp_path: Path) -> None:
    address = f"127.0.0.1:{free_port()}"
    with serving(tmp_path, address) as (_, base):
        taken = failed(environment(tmp_path, int(base.rpartition(":")[2]), address))
    assert (taken.returncode, "in use" in taken.stderr, "SWITCHYARD_PORTS__WEB" in taken.stderr) == (1, True, True)
    foreign = failed(environment(tmp_path, free_port(), address, WEB__HOST="192.0.2.1"))
    assert (foreign.returncode, "SWITCHYARD_WEB__HOST" in foreign.stderr) == (2, True)
    assert "Traceback" not in taken.stderr + foreign.stderr


def failed(env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "starter.cli", "serve"]
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=30, check=False)
