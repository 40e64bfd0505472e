"""approve, abort, pause, resume, promote, skip: who asks and why reaches the workflow, its words come back."""

from __future__ import annotations

import pytest

from tests.starter.commands.conftest import Cli, data
from tests.starter.standins import rollout_id


def test_approve_by_a_short_name(cli: Cli, begin) -> None:
    asked = begin("wait")
    assert cli("approve", asked.sha[:10], "--by", "bob", "-m", "looks good").stdout.strip() == "run: approve go True"
    assert cli("watch", asked.workflow_id).exit_code == 0


def test_reject_is_an_approval_with_no(cli: Cli, begin) -> None:
    assert data(cli("approve", begin("wait").workflow_id, "--reject", "--json")) == {"message": "run: approve go False"}


def test_a_refusal_is_status_1_in_the_workflows_words(cli: Cli, begin) -> None:
    refused = cli("approve", begin("wait").workflow_id, "--by", "mallory")
    assert refused.exit_code == 1
    assert refused.stderr.strip() == "switchyard: mallory may not approve this"


def test_the_actor_may_come_from_the_environment(cli: Cli, begin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWITCHYARD_ACTOR", "mallory")
    assert cli("approve", begin("wait").workflow_id).exit_code == 1


def test_several_waiting_stages_need_a_name(cli: Cli, begin) -> None:
    asked = begin("two")
    unclear = cli("approve", asked.workflow_id)
    assert unclear.exit_code == 1
    assert "go, also" in unclear.stderr
    assert "--stage" in unclear.stderr
    assert cli("approve", asked.workflow_id, "--stage", "also").stdout.strip() == "run: approve also True"


def test_a_rollout_is_paused_resumed_and_promoted_by_its_run(cli: Cli, begin) -> None:
    asked = begin("roll")
    for command, answer in [
        (["pause"], "rollout: pause"),
        (["resume"], "rollout: resume"),
        (["promote"], "rollout: promote full=False"),
        (["promote", "--full"], "rollout: promote full=True"),
        (["approve"], "rollout: approve"),
    ]:
        assert cli(*command, asked.sha[:12]).stdout.strip() == answer


def test_abort_of_a_stage_is_of_its_rollout_and_else_of_the_run(cli: Cli, begin) -> None:
    asked = begin("roll")
    assert cli("abort", asked.workflow_id, "--stage", "ship").stdout.strip() == "rollout: abort"
    assert cli("abort", asked.workflow_id, "-m", "enough").stdout.strip() == "run: abort"


def test_a_rollouts_own_id_works(cli: Cli, begin) -> None:
    own = rollout_id(begin("roll").workflow_id)
    assert cli("pause", own).stdout.strip() == "rollout: pause"


def test_skip_needs_the_stage(cli: Cli, begin) -> None:
    asked = begin("hold")
    missing = cli("skip", asked.workflow_id)
    assert missing.exit_code == 2
    assert "--stage" in missing.stderr
    assert cli("skip", asked.workflow_id, "--stage", "check").stdout.strip() == "run: skip check"


def test_nothing_to_pause_is_status_1(cli: Cli, begin) -> None:
    refused = cli("pause", begin("wait").workflow_id)
    assert refused.exit_code == 1
    assert "is rolling out" in refused.stderr
