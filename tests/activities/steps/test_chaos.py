"""Workers are killed at moments that nobody chose; every side effect is there once."""

import asyncio
import random

import pytest

from pipelines.messages.common import Status
from pipelines.spec import Step
from tests.support.steps import Host, Victim


@pytest.mark.parametrize("seed", range(3))
async def test_workers_killed_at_any_time(host: Host, seed: int) -> None:
    chance = random.Random(seed)
    steps = [host.input(f"echo {n} >> effects; sleep 0.3; echo end {n} >> effects", key=f"k{n}", index=n) for n in range(3)]
    for _ in range(3):
        victims = [Victim(host, step) for step in steps]
        # A worker needs about half a second until it starts anything: the kills fall before, into and after that.
        await asyncio.sleep(chance.uniform(0.3, 1.5))
        for victim in victims:
            victim.kill()
    results = await asyncio.gather(*[host.steps.run_step(step) for step in steps])
    assert {result.status for result in results} == {Status.passed}
    assert sorted(host.file("effects").splitlines()) == ["0", "1", "2", "end 0", "end 1", "end 2"]


@pytest.mark.parametrize("seed", range(2))
async def test_activities_cancelled_and_taken_up_at_any_time(host: Host, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """As by timeouts and restarts, with a check of two runs."""

    async def hand_over() -> str:
        return "hand-over"

    monkeypatch.setattr("activities.build.why_cancelled", hand_over)
    (host.workspace / "test_it.py").write_text(
        "from pathlib import Path\n"
        "def test_counted():\n"
        "    with Path('effects').open('a') as file: file.write('ran\\n')\n"
        "    assert len(Path('effects').read_text().split()) == 2\n"
    )
    chance = random.Random(seed)
    step = host.input(Step.model_validate({"uses": "pytest", "with": {"rerun_failed": 1}}))
    for _ in range(8):
        running = asyncio.ensure_future(host.steps.run_step(step))
        await asyncio.wait([running], timeout=chance.uniform(0.0, 0.5))
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    result = await host.steps.run_step(step)
    assert result.status == Status.passed
    assert result.tests is not None and result.tests.flaky == 1
    assert host.file("effects") == "ran\nran\n"
