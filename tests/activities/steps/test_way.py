"""What is done about a step that may have begun before: a table."""

import itertools

import pytest

from activities.steps.carry import way
from activities.steps.folder import StepRecord
from activities.steps.seen import Seen
from pipelines.messages.build import StepInput, StepResult, Workspace
from pipelines.messages.common import Status
from pipelines.spec import Step

PLACE = Workspace(name="shared", queue="q", host="h", path="/w")
STEP = StepInput(
    key="k", run_id="r", repo="o/r", stage="s", index=0, step=Step(run="true"), workspace=PLACE, attempt=1, execution="e1"
)
PASSED, FAILED = Seen("finished", True), Seen("finished")
RUNNING, LOST = Seen("running"), Seen("lost")


def _record(status: Status | None = None, execution: str = "e1", attempt: int = 1) -> StepRecord:
    result = StepResult(key="k", title="t", status=status) if status else None
    return StepRecord(execution=execution, attempt=attempt, workspace="w", started_at=1.0, log_start=0, result=result)


def test_nothing_is_known() -> None:
    assert way(None, STEP, "w", []) == "anew"


@pytest.mark.parametrize("status", [Status.passed, Status.skipped])
@pytest.mark.parametrize(("execution", "attempt"), [("e1", 1), ("e1", 2), ("e0", 1)])
def test_what_passed_is_known_to_everybody(status: Status, execution: str, attempt: int) -> None:
    assert way(_record(status, execution, attempt), STEP, "w", []) == "known"


@pytest.mark.parametrize("status", [Status.failed, Status.cancelled])
def test_what_failed_is_known_to_the_call_that_saw_it(status: Status) -> None:
    assert way(_record(status), STEP, "w", [FAILED]) == "known"
    assert way(_record(status, attempt=2), STEP, "w", [FAILED]) == "anew"
    assert way(_record(status, execution="e0"), STEP, "w", [FAILED]) == "anew"


@pytest.mark.parametrize("begun", [[], [PASSED], [FAILED], [RUNNING], [LOST], [FAILED, RUNNING]])
def test_the_same_call_goes_on(begun: list[Seen]) -> None:
    assert way(_record(), STEP, "w", begun) == "continue"


@pytest.mark.parametrize(
    ("begun", "expected"),
    [
        ([], "anew"),
        ([PASSED], "continue"),
        ([RUNNING], "continue"),
        ([PASSED, RUNNING], "continue"),
        ([FAILED], "anew"),
        ([LOST], "anew"),
        ([PASSED, LOST], "anew"),
        ([FAILED, RUNNING], "anew"),
    ],
)
def test_another_call_takes_on_only_what_goes_well(begun: list[Seen], expected: str) -> None:
    assert way(_record(execution="e0"), STEP, "w", begun) == expected


def test_in_another_workspace_nothing_counts() -> None:
    statuses: list[Status | None] = [None, Status.passed, Status.failed]
    for status, begun in itertools.product(statuses, [[], [PASSED], [RUNNING]]):
        assert way(_record(status), STEP, "other", begun) == "anew"
