"""Checks of a running release: HTTP requests, and commands that get its address as $SWITCHYARD_URL."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import tempfile
import time
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from activities.base import heartbeat, implements
from activities.clients.delivery import Router, choose
from activities.steps.masking import Masker
from activities.steps.processes import marked, send
from pipelines.messages.deploy import CheckInput, CheckOutcome
from pipelines.ports import RUN_CHECKS
from pipelines.spec import CheckSpec

_BEAT = 1.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 1.0
_LONGEST_REQUEST = 10.0
_BODY = 1 << 20
_OUTPUT, _TAIL = 16 * 1024, 400
_MARK = "SWITCHYARD_CHECK"


class Checks:
    """`routers` by `Place.target`, for the addresses of places."""

    def __init__(self, routers: Mapping[str, Router]) -> None:
        self._routers = routers

    @implements(RUN_CHECKS)
    async def run(self, wanted: CheckInput) -> CheckOutcome:
        """One after the other; all are made, so that the outcome names every one that did not pass."""
        router = choose(self._routers, wanted.place, "router")
        address = (wanted.address or router.address(wanted.place, wanted.preview)).rstrip("/")
        results = []
        async with _beating():
            for check in wanted.checks:
                results.append(await _command(check, address, wanted) if check.run else await _http(check, address))
        lines = [Masker().string(line) for _, line in results]
        return CheckOutcome(passed=all(passed for passed, _ in results), lines=lines)


@asynccontextmanager
async def _beating() -> AsyncIterator[None]:
    async def beat() -> None:
        while True:
            heartbeat()
            await asyncio.sleep(_BEAT)

    task = asyncio.create_task(beat())
    try:
        yield
    finally:
        task.cancel()


async def _http(check: CheckSpec, address: str) -> tuple[bool, str]:
    """Tried again until it passes or its time is over: a release that was just switched to may need a moment."""
    url = f"{address}/{(check.path or '/').lstrip('/')}"
    wanted = f"GET {url} to answer {check.status}" + (f" with {check.contains!r}" if check.contains else "")
    began, pause, tries = time.monotonic(), _FIRST_PAUSE, 0
    async with httpx.AsyncClient(trust_env=False) as client:
        while True:
            tries += 1
            left = check.timeout - (time.monotonic() - began)
            seen = await _ask(client, url, check, max(0.05, min(left, _LONGEST_REQUEST)))
            if not seen:
                return True, f"{check.name}: passed, {wanted}"
            if time.monotonic() - began + pause >= check.timeout:
                took = f"{tries} {'tries' if tries > 1 else 'try'} in {check.timeout:g} s"
                return False, f"{check.name}: failed, expected {wanted}; {seen} ({took})"
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)


async def _ask(client: httpx.AsyncClient, url: str, check: CheckSpec, seconds: float) -> str:
    """What is wrong with the answer; '' when nothing is."""
    try:
        async with asyncio.timeout(seconds), client.stream("GET", url, timeout=seconds) as answer:
            if answer.status_code != check.status:
                return f"it answered {answer.status_code}"
            if check.contains and check.contains not in await _text(answer):
                return "the text was not in its answer"
    except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
        return f"no answer: {type(error).__name__} {error}".strip()
    return ""


async def _text(answer: httpx.Response) -> str:
    """At most the first MiB: a check is no download."""
    body = b""
    async for part in answer.aiter_bytes():
        body += part
        if len(body) >= _BODY:
            break
    return body.decode(answer.encoding or "utf-8", "replace")


async def _command(check: CheckSpec, address: str, wanted: CheckInput) -> tuple[bool, str]:
    folder = Path(tempfile.mkdtemp(prefix="switchyard-check-"))
    mark = uuid.uuid4().hex
    try:
        code = await _execute(check, folder, {**_environment(address, wanted, folder), _MARK: mark})
        said = _last_words(folder / "output")
    finally:
        send(marked(f"{_MARK}={mark}"), signal.SIGKILL)
        shutil.rmtree(folder, ignore_errors=True)
    if code == 0:
        return True, f"{check.name}: passed, '{check.run}' ended with status 0"
    how = f"did not end within {check.timeout:g} s" if code is None else f"ended with status {code}"
    return False, f"{check.name}: failed, '{check.run}' {how}" + (f": {said}" if said else "")


async def _execute(check: CheckSpec, folder: Path, env: dict[str, str]) -> int | None:
    """Exit status, None when its time was over. `timeout` ends it also when the worker is killed meanwhile."""
    bound = ["timeout", "--kill-after=1", f"{check.timeout + 1:g}"]
    with (folder / "output").open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *[*bound, "sh", "-c", check.run or ""],
            cwd=folder,
            env=env,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        return await asyncio.wait_for(process.wait(), check.timeout)
    except TimeoutError:
        return None
    finally:
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)
            await process.wait()


def _environment(address: str, wanted: CheckInput, folder: Path) -> dict[str, str]:
    """Nothing of the worker's own but its PATH."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "LANG": "C.UTF-8",
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "SWITCHYARD_URL": address,
        "SWITCHYARD_SERVICE": wanted.place.service,
        "SWITCHYARD_ENVIRONMENT": wanted.place.environment,
        "SWITCHYARD_RUN": wanted.run_id,
    }


def _last_words(output: Path) -> str:
    lines = Masker().lines(output.read_bytes()[-_OUTPUT:]).decode("utf-8", "replace").splitlines()
    return " | ".join(line.strip() for line in lines if line.strip())[-_TAIL:]
