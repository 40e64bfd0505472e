"""Checks against a real HTTP server and with real commands."""

from __future__ import annotations

import asyncio
import http.server
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from activities.checks_http import Checks
from activities.steps.processes import marked
from pipelines.errors import SettingsError
from pipelines.messages.deploy import CheckInput, CheckOutcome, Place
from pipelines.spec import CheckSpec
from tests.support.ports import free_port
from tests.support.releases import until

_PLACE = Place(environment="staging", service="shop")


class _Service(http.server.BaseHTTPRequestHandler):
    sick_until = 0.0
    over = threading.Event()

    def do_GET(self) -> None:
        sick = self.path == "/healing" and time.monotonic() < _Service.sick_until
        self.send_response(503 if sick else 302 if self.path == "/moved" else 200)
        if self.path == "/moved":
            self.send_header("Location", "/")
        self.end_headers()
        if self.path == "/hangs":
            _Service.over.wait(60)
        self.wfile.write(b"welcome to the shop")

    def log_message(self, *args: object) -> None:
        """Silent."""


class _Router:
    """Only addresses are asked of it."""

    def __init__(self, address: str) -> None:
        self._address = address

    def address(self, place: Place, preview: bool = False) -> str:
        return self._address + ("/preview" if preview else "")


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Service)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    _Service.over.set()
    server.shutdown()


async def _run(url: str, *checks: CheckSpec, preview: bool = False, address: str = "") -> CheckOutcome:
    activity = Checks({"local": _Router(url)})  # type: ignore[dict-item]
    return await activity.run(CheckInput(place=_PLACE, checks=list(checks), preview=preview, address=address, run_id="run-1"))


async def test_an_answer_as_expected_passes(url: str) -> None:
    outcome = await _run(url, CheckSpec(name="home", path="/", contains="welcome"))
    assert outcome.passed
    assert outcome.lines == [f"home: passed, GET {url}/ to answer 200 with 'welcome'"]


async def test_another_status_than_200_can_be_expected_and_redirects_are_not_followed(url: str) -> None:
    assert (await _run(url, CheckSpec(path="/moved", status=302))).passed


async def test_a_wrong_status_fails_with_what_was_seen(url: str) -> None:
    outcome = await _run(url, CheckSpec(path="/", status=201, timeout=0.3))
    assert not outcome.passed
    assert "expected GET" in outcome.lines[0]
    assert "it answered 200" in outcome.lines[0]


async def test_a_text_that_is_missing(url: str) -> None:
    outcome = await _run(url, CheckSpec(path="/", contains="goodbye", timeout=0.3))
    assert "the text was not in its answer" in outcome.lines[0]


async def test_it_is_tried_again_within_its_time(url: str) -> None:
    _Service.sick_until = time.monotonic() + 0.6
    assert (await _run(url, CheckSpec(path="/healing", timeout=10))).passed


async def test_an_answer_that_takes_too_long(url: str) -> None:
    outcome = await _run(url, CheckSpec(path="/hangs", contains="shop", timeout=0.4))
    assert not outcome.passed


async def test_nobody_is_there() -> None:
    outcome = await _run(f"http://127.0.0.1:{free_port()}", CheckSpec(path="/", timeout=0.3))
    assert "no answer: ConnectError" in outcome.lines[0]


async def test_all_checks_are_made_and_each_is_told(url: str) -> None:
    checks = [CheckSpec(name="a", status=500, timeout=0.1), CheckSpec(name="b"), CheckSpec(name="c", path=None, run="exit 3")]
    outcome = await _run(url, *checks)
    assert [line.split(",")[0] for line in outcome.lines] == ["a: failed", "b: passed", "c: failed"]
    assert "ended with status 3" in outcome.lines[2]


async def test_a_command_gets_the_address_and_nothing_of_the_worker(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKER_SECRET", "do-not-tell")
    command = (
        f'test "$SWITCHYARD_URL" = {url} && test "$SWITCHYARD_SERVICE" = shop && test -z "$WORKER_SECRET" && test -z "$(cat)"'
    )
    assert (await _run(url, CheckSpec(run=command))).passed


async def test_the_preview_and_a_given_address(url: str) -> None:
    assert (await _run(url, CheckSpec(run=f'test "$SWITCHYARD_URL" = {url}/preview'), preview=True)).passed
    assert (await _run("http://nowhere.invalid", CheckSpec(path="/"), address=url + "/")).passed


async def test_a_failed_commands_last_words_are_masked(url: str) -> None:
    outcome = await _run(url, CheckSpec(run="echo first; echo ghp_0123456789012345678901234567890123456789; exit 1"))
    assert "first | ***" in outcome.lines[0]
    assert "ghp_0123" not in outcome.lines[0]


async def test_a_command_that_takes_too_long_is_killed_with_all_it_started(url: str, tmp_path: Path) -> None:
    command = f"env | grep SWITCHYARD_CHECK= > {tmp_path}/mark; setsid sleep 60 & sleep 60"
    outcome = await _run(url, CheckSpec(run=command, timeout=0.5))
    assert "did not end within 0.5 s" in outcome.lines[0]
    until(lambda: not marked((tmp_path / "mark").read_text().strip()), "all it started are gone")


async def test_a_command_is_killed_on_cancellation(url: str, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    task = asyncio.create_task(_run(url, CheckSpec(run=f"env | grep SWITCHYARD_CHECK= > {mark}; sleep 60")))
    await asyncio.to_thread(until, lambda: mark.exists() and mark.read_text(), "the command runs")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert marked(mark.read_text().strip()) == []


async def test_without_a_router_there_is_no_address() -> None:
    place = Place(environment="production", service="shop", target="kubernetes")
    with pytest.raises(SettingsError, match="no router is configured"):
        await Checks({}).run(CheckInput(place=place, checks=[CheckSpec()]))
