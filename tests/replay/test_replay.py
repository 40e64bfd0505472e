"""Golden histories replay with today's workflows: a run that is under way goes on after an upgrade."""

from __future__ import annotations

import re
import socket
from pathlib import Path

import pytest
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner
from temporalio.workflow import NondeterminismError

from tests.replay import histories, record
from tests.replay.changed import ChangedDelivery, ChangedPipeline
from tests.replay.scenarios import SCENARIOS
from worker import WORKFLOWS

EVERY = [each for workflows in WORKFLOWS.values() for each in workflows]


def replayer(workflows: list[type]) -> Replayer:
    return Replayer(
        workflows=workflows, data_converter=pydantic_data_converter, workflow_runner=UnsandboxedWorkflowRunner(), build_id="tests"
    )


def test_every_scenario_is_recorded_and_every_recording_has_its_scenario() -> None:
    assert histories.recorded() == sorted(SCENARIOS), "run 'make golden'"


@pytest.mark.parametrize("name", histories.recorded())
async def test_replays(name: str) -> None:
    history = histories.read(name)
    assert len(history.events) > 3
    await replayer(EVERY).replay_workflow(history)


@pytest.mark.parametrize("name", histories.recorded())
def test_tells_nothing_about_the_machine(name: str) -> None:
    text = histories.words(histories.read(name))
    for place in (rf"\b{re.escape(socket.gethostname())}\b", "/home/", "/tmp/", "/root/", r"\.venv", "site-packages", r"\d@"):
        assert not re.search(place, text), place


async def test_a_changed_delivery_is_found_out() -> None:
    history = histories.read("delivery_of_an_event")
    with pytest.raises(NondeterminismError):
        await replayer([ChangedDelivery]).replay_workflow(history)


async def test_a_changed_pipeline_is_found_out() -> None:
    history = histories.read("pipeline_passed")
    with pytest.raises(NondeterminismError):
        await replayer([ChangedPipeline]).replay_workflow(history)


async def test_only_scenarios_can_be_recorded(capsys: pytest.CaptureFixture[str]) -> None:
    assert await record.main(["pipeline_flew"]) == 2
    assert "unknown: pipeline_flew; there are" in capsys.readouterr().err


def test_equal_histories_are_equal_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    history = histories.read("delivery_of_an_event")
    monkeypatch.setattr(histories, "FOLDER", tmp_path)
    first = histories.write("one", history).read_bytes()
    assert histories.write("two", history).read_bytes() == first
    assert histories.read("two").workflow_id == history.workflow_id
