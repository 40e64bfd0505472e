"""Built-in checks as steps: a sequence of commands, each run once, and a report."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from activities.checks.base import CheckContext, CheckReport, Command, Finished
from pipelines.errors import SpecError, StepFailed, Unavailable
from pipelines.findings import fingerprint
from pipelines.messages.build import StepInput
from pipelines.messages.common import Status
from pipelines.messages.quality import Finding, TestCase
from pipelines.spec import SecretRef, Step
from tests.support.steps import Host, Victim, eventually


@dataclass
class Three:
    """Runs three commands that append to a file; the second can wait or fail, the last one's output is a file."""

    name: str = "ruff"
    second: str = "true"

    def next(self, context: CheckContext, done: Sequence[Finished]) -> Command | CheckReport:
        with (context.workspace / "asked").open("a") as file:
            file.write(f"{len(done)}\n")
        if len(done) < 3:
            script = f"echo {len(done)} >> effects; {self.second if len(done) == 1 else 'echo said'}"
            out = context.scratch / "out" if len(done) == 2 else None
            return Command(("sh", "-c", script), {"NUMBER": str(len(done))}, out)
        assert (context.scratch / "out").read_text() == "said\n"
        finding = Finding(
            tool="ruff", rule="X", severity="low", message="leaks hunter22", fingerprint=fingerprint("a", "b", "c", "d")
        )
        case = TestCase(suite="s", name="n", status="failed", message="expected hunter22")
        codes = ",".join(str(each.exit_code) for each in done)
        return CheckReport(Status.passed, f"codes {codes}", ("ruff",), (finding,), (case,), 81.5, ("a line",))


class Broken:
    name = "ruff"

    def next(self, context: CheckContext, done: Sequence[Finished]) -> Command | CheckReport:
        raise StepFailed("the tool is not installed", "Install it")


class Unable:
    name = "ruff"

    def next(self, context: CheckContext, done: Sequence[Finished]) -> Command | CheckReport:
        return CheckReport(Status.skipped, "the service does not answer")


def _host(root: Path, check: object) -> Host:
    return Host(root, {"PASSWORD": "hunter22"}, checks={"ruff": check})


def _input(host: Host, **more: object) -> StepInput:
    secrets = {"P": SecretRef(env="PASSWORD")}
    return host.input(Step.model_validate({"uses": "ruff"}), secrets=secrets, **more)  # type: ignore[arg-type]


async def test_a_check_runs_its_commands_and_reports(tmp_path: Path) -> None:
    host = _host(tmp_path, Three())
    result = await host.steps.run_step(_input(host))
    assert (result.status, result.message, result.coverage) == (Status.passed, "codes 0,0,0", 81.5)
    assert result.findings is not None and result.findings.low == 1
    assert result.tests is not None and (result.tests.total, result.tests.failed) == (1, 1)
    assert host.file("effects") == "0\n1\n2\n"
    assert host.log(result) == "said\na line\ncodes 0,0,0"
    host.steps.close()


async def test_secrets_are_masked_in_what_is_stored(tmp_path: Path) -> None:
    host = _host(tmp_path, Three())
    result = await host.steps.run_step(_input(host))
    assert [finding.message for finding in host.findings.of("0")] == ["leaks ***"]
    assert [case.message for case in host.cases.of("0")] == ["expected ***"]
    assert host.coverage.stored == {"0": 81.5}
    assert "hunter22" not in result.model_dump_json()
    host.steps.close()


async def test_a_status_that_the_check_expects_is_its_to_judge(tmp_path: Path) -> None:
    host = _host(tmp_path, Three(second="exit 5"))
    assert (await host.steps.run_step(_input(host))).message == "codes 0,5,0"
    host.steps.close()


async def test_a_signal_is_a_negative_status(tmp_path: Path) -> None:
    host = _host(tmp_path, Three(second="kill -9 $$"))
    assert (await host.steps.run_step(_input(host))).message == "codes 0,-9,0"
    host.steps.close()


async def test_a_crash_between_commands_repeats_none(tmp_path: Path) -> None:
    host = _host(tmp_path, Three(second="while [ ! -e go ]; do sleep 0.02; done"))
    step = _input(host)
    first = asyncio.ensure_future(_run_and_drop(host, step))
    await eventually(lambda: host.file("effects") == "0\n1\n", "the second command runs")
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    (host.workspace / "go").touch()
    other = _host(tmp_path, Three())
    result = await other.steps.run_step(step)
    assert result.message == "codes 0,0,0"
    assert host.file("effects") == "0\n1\n2\n"
    assert host.file("asked") == "0\n1\n2\n3\n", "a command that runs or has run is not asked for again"
    host.steps.close()
    other.steps.close()


async def _run_and_drop(host: Host, step: StepInput) -> None:
    """As a worker that shuts down."""

    async def hand_over() -> str:
        return "hand-over"

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("activities.build.why_cancelled", hand_over)
        await host.steps.run_step(step)


async def test_a_check_that_cannot_work_fails_and_is_no_evidence(tmp_path: Path) -> None:
    host = _host(tmp_path, Broken())
    result = await host.steps.run_step(_input(host))
    assert (result.status, result.message) == (Status.failed, "the tool is not installed. Install it")
    assert host.findings.unavailable == {"ruff": "the tool is not installed. Install it"}
    assert host.findings.stored == {}
    assert host.log(result) == "the tool is not installed. Install it"
    host.steps.close()


async def test_a_check_that_is_skipped_is_no_evidence(tmp_path: Path) -> None:
    host = _host(tmp_path, Unable())
    result = await host.steps.run_step(_input(host))
    assert (result.status, result.message) == (Status.skipped, "the service does not answer")
    assert host.findings.unavailable == {"ruff": "the service does not answer"}
    host.steps.close()


async def test_the_time_is_for_all_commands_together(tmp_path: Path) -> None:
    host = _host(tmp_path, Three(second="sleep 60"))
    step = host.input(Step.model_validate({"uses": "ruff", "timeout": 0.5}))
    result = await host.steps.run_step(step)
    assert (result.status, result.message) == (Status.failed, "timed out after 500ms")
    assert host.file("effects") == "0\n1\n"
    assert "ruff" in host.findings.unavailable
    host.steps.close()


async def test_evidence_that_cannot_be_stored_is_stored_by_the_next_attempt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = _host(tmp_path, Three())

    def outage(*_: object, **__: object) -> None:
        raise Unavailable("the database does not answer")

    with monkeypatch.context() as patch:
        patch.setattr(host.coverage, "store", outage)
        with pytest.raises(Unavailable):
            await host.steps.run_step(_input(host))
    result = await host.steps.run_step(_input(host))
    assert result.coverage == 81.5 and host.coverage.stored == {"0": 81.5}
    assert host.file("effects") == "0\n1\n2\n"
    host.steps.close()


async def test_unknown_checks_and_wrong_options_are_refused(tmp_path: Path) -> None:
    host = _host(tmp_path, Three())
    with pytest.raises(SpecError, match="'nonsense'"):
        await host.run(Step.model_validate({"uses": "nonsense"}))
    with pytest.raises(SpecError, match="'fail_on' of 'ruff'"):
        await host.run(Step.model_validate({"uses": "ruff", "with": {"fail_on": "sometimes"}}))
    with pytest.raises(SpecError, match="image"):
        await host.run(Step.model_validate({"uses": "ruff", "image": "python:3.11"}))
    host.steps.close()


async def test_the_real_ruff(host: Host) -> None:
    (host.workspace / "bad.py").write_text("import os\nx = undefined\n")
    result = await host.run(Step.model_validate({"uses": "ruff"}))
    assert result.status == Status.failed
    assert {getattr(finding, "rule", "") for finding in host.findings.of("0")} >= {"F401", "F821"}
    assert "bad.py:2:5 medium F821" in host.log(result)


async def test_the_real_pytest_with_a_flaky_test(host: Host) -> None:
    (host.workspace / "test_it.py").write_text(
        "from pathlib import Path\n"
        "def test_flaky():\n    seen = Path('seen').exists()\n    Path('seen').touch()\n    assert seen\n"
        "def test_good():\n    pass\n"
    )
    result = await host.run(Step.model_validate({"uses": "pytest", "with": {"rerun_failed": 1}}))
    assert result.status == Status.passed, host.log(result)
    assert result.tests is not None and (result.tests.total, result.tests.flaky) == (2, 1)


async def test_a_check_that_lost_its_worker_before_the_report(host: Host) -> None:
    (host.workspace / "good.py").write_text("x = 1\n")
    step = host.input(Step.model_validate({"uses": "ruff"}))
    victim = Victim(host, step, "report")
    await victim.paused()
    victim.kill()
    assert (await host.steps.run_step(step)).status == Status.passed
