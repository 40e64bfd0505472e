"""Stages become instances, and instances become ready."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.errors import SpecError
from pipelines.graph import (
    Instance,
    blocked_by_failure,
    cells,
    expand,
    instance_name,
    ready,
    topological_order,
)
from pipelines.spec import Pipeline, Stage
from tests.support.definitions import graphs, pipeline_of, with_cycle

MATRIX = {"py": ["3.11", 3, True], "os": ["linux", "mac"]}


def names(instances: list[Instance]) -> list[str]:
    return [instance.name for instance in instances]


def run(instances: list[Instance], data: st.DataObject, verdicts: list[str]) -> tuple[list[str], dict[str, str]]:
    """Start whatever is ready and end one of what runs, as chance has it, until nothing moves."""
    started: list[str] = []
    running: list[str] = []
    finished: dict[str, str] = {}
    while True:
        fresh = names(ready(instances, finished, running))
        for name in fresh:
            wanted = next(each for each in instances if each.name == name).needs
            assert all(finished.get(need) in ("passed", "skipped") for need in wanted)
        started += fresh
        running += fresh
        if not running:
            return started, finished
        ended = data.draw(st.sampled_from(running))
        running.remove(ended)
        finished[ended] = data.draw(st.sampled_from(verdicts))


@given(graphs(), st.data())
def test_every_stage_starts_exactly_once_and_after_its_needs(needs: dict[str, list[str]], data: st.DataObject) -> None:
    instances = expand(pipeline_of(needs))
    started, finished = run(instances, data, ["passed", "skipped"])
    assert sorted(started) == sorted(needs) == sorted(finished)
    assert all(started.index(need) < started.index(name) for name, wanted in needs.items() for need in wanted)


@given(graphs(), st.data())
def test_after_failures_exactly_the_blocked_stages_never_start(needs: dict[str, list[str]], data: st.DataObject) -> None:
    instances = expand(pipeline_of(needs))
    started, finished = run(instances, data, ["passed", "failed"])
    blocked = blocked_by_failure(instances, finished)
    assert sorted([*started, *blocked]) == sorted(needs)
    for culprits in blocked.values():
        assert culprits
        assert all(finished[name] == "failed" for name in culprits)


@given(graphs(), st.data())
def test_the_matrix_runs_every_cell_once_before_its_dependants(needs: dict[str, list[str]], data: st.DataObject) -> None:
    chosen = data.draw(st.sampled_from(sorted(needs)))
    instances = expand(pipeline_of(needs, **{chosen: {"matrix": MATRIX}}))
    started, finished = run(instances, data, ["passed"])
    assert len(started) == len(set(started)) == len(needs) + 5
    assert set(started) == set(names(instances)) == set(finished)


@given(graphs(), st.data())
def test_ready_is_deterministic_and_in_the_pipelines_order(needs: dict[str, list[str]], data: st.DataObject) -> None:
    instances = expand(pipeline_of(needs))
    finished = dict.fromkeys(data.draw(st.lists(st.sampled_from(sorted(needs)), unique=True)), "passed")
    running = [name for name in data.draw(st.lists(st.sampled_from(sorted(needs)), unique=True)) if name not in finished]
    first = names(ready(instances, finished, running))
    again = names(ready(instances, dict(reversed(finished.items())), running[::-1]))
    assert first == again == [name for name in names(instances) if name in first]
    assert not {*finished, *running} & set(first)


@given(graphs())
def test_topological_order_respects_needs(needs: dict[str, list[str]]) -> None:
    order = names(topological_order(expand(pipeline_of(needs))))
    assert all(order.index(need) < order.index(name) for name, wanted in needs.items() for need in wanted)


@given(with_cycle())
def test_a_cycle_is_found_by_the_model_and_by_expansion(needs: dict[str, list[str]]) -> None:
    with pytest.raises(ValueError, match="wait for each other"):
        pipeline_of(needs)
    unchecked = Pipeline.model_construct(stages={name: Stage.model_construct(needs=wanted) for name, wanted in needs.items()})
    with pytest.raises(SpecError, match="circle"):
        expand(unchecked)


def test_instances_are_in_the_order_of_the_pipeline_and_of_the_matrix() -> None:
    pipeline = pipeline_of({"lint": [], "test": ["lint"], "pack": ["test"]}, test={"matrix": MATRIX})
    tests = [f"test[py={py},os={system}]" for py in ("3.11", "3", "true") for system in ("linux", "mac")]
    instances = expand(pipeline)
    assert names(instances) == ["lint", *tests, "pack"]
    pack = instances[-1]
    assert pack.needs == tuple(tests)
    assert pack.all_needs == ("lint", *tests)
    assert instances[1].needs == ("lint",)
    assert {each.stage_name for each in instances[1:-1]} == {"test"}


def test_a_need_named_twice_is_one_need() -> None:
    assert expand(pipeline_of({"a": [], "b": ["a", "a"]}))[1].needs == ("a",)


def test_cells_are_environment_variables() -> None:
    stage = Stage.model_validate({"steps": [{"run": "true"}], "matrix": {"py-version": [3.5], "fast": [False]}})
    instance = Instance("s", "s", stage, cells(stage)[0])
    assert instance.env == {"MATRIX_PY_VERSION": "3.5", "MATRIX_FAST": "false"}
    assert Instance("s", "s", stage, {}).env == {}


def test_a_stage_without_a_matrix_is_one_instance_of_its_own_name() -> None:
    assert cells(Stage.model_validate({"steps": [{"run": "true"}]})) == [{}]
    assert instance_name("lint", {}) == "lint"


def test_axes_are_filled_in_where_they_are_no_commands() -> None:
    stage: dict[str, Any] = {
        "matrix": {"py": ["3.11", "3.12"]},
        "concurrency": "tests/${matrix.py}/${branch}",
        "caches": [{"path": ".tox/${matrix.py}", "key": ["req-${matrix.py}.txt"]}],
        "steps": [
            {
                "name": "on ${matrix.py}",
                "run": "echo ${matrix.py} ${HOME}",
                "image": "python:${matrix.py}",
                "workdir": "w${matrix.py}",
            },
            {"uses": "python/install", "with": {"python": "python${matrix.py}", "packages": ["a-${matrix.py}", "${HOME}"]}},
        ],
    }
    first, second = expand(pipeline_of({"test": []}, test=stage))
    assert second.stage.concurrency == "tests/3.12/${branch}"
    assert second.stage.caches[0].path == ".tox/3.12"
    assert second.stage.caches[0].key == ["req-3.12.txt"]
    command, check = second.stage.steps
    assert (command.name, command.image, command.workdir) == ("on 3.12", "python:3.12", "w3.12")
    assert command.run == "echo ${matrix.py} ${HOME}"
    assert check.options == {"python": "python3.12", "packages": ["a-3.12", "${HOME}"]}
    assert first.stage.steps[0].image == "python:3.11"


def test_an_axis_that_is_not_there_is_an_error() -> None:
    stage = {"matrix": {"py": ["3"]}, "steps": [{"run": "true", "image": "python:${matrix.pi}"}]}
    with pytest.raises(SpecError, match="Did you mean 'matrix.py'"):
        expand(pipeline_of({"test": []}, test=stage))


@pytest.mark.parametrize(
    ("finished", "expected"),
    [
        ({}, ["a", "b"]),
        ({"a": "passed"}, ["b"]),
        ({"a": "passed", "b": "skipped"}, ["c"]),
        ({"a": "skipped", "b": "skipped"}, ["c"]),
        ({"a": "passed", "b": "failed"}, []),
        ({"a": "passed", "b": "cancelled"}, []),
        ({"a": "passed", "b": "passed", "c": "failed"}, []),
    ],
)
def test_what_satisfies_a_need(finished: dict[str, str], expected: list[str]) -> None:
    instances = expand(pipeline_of({"a": [], "b": [], "c": ["a", "b"]}))
    assert names(ready(instances, finished, [])) == expected


def test_what_runs_is_not_started_again() -> None:
    assert names(ready(expand(pipeline_of({"a": [], "b": []})), {}, ["a"])) == ["b"]


def test_blocked_stages_name_the_failures_behind_them() -> None:
    instances = expand(pipeline_of({"a": [], "b": [], "c": ["a"], "d": ["c", "b"], "e": ["b"]}))
    assert blocked_by_failure(instances, {"a": "failed", "b": "passed"}) == {"c": ["a"], "d": ["a"]}
    assert blocked_by_failure(instances, {"a": "passed", "b": "passed"}) == {}
