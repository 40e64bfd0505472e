"""Content hashes: equal inputs, equal keys; anything else, another key."""

import json
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.graph import Instance, expand
from pipelines.keys import canonical, digest, stage_key, step_key
from pipelines.spec import Pipeline, Step

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)
STAGE: dict[str, Any] = {
    "needs": ["build"],
    "steps": [{"run": "make", "env": {"A": "1", "B": "2"}, "secrets": ["TOKEN"]}, {"uses": "ruff", "with": {"paths": ["."]}}],
    "env": {"X": "1"},
    "artifacts": [{"name": "app", "paths": ["dist"]}],
    "caches": [{"path": ".venv", "key": ["a.txt"]}],
    "matrix": {"py": ["3.11", "3.12"]},
}


def pipeline(stage: dict[str, Any] | None = None, **more: Any) -> Pipeline:
    given: dict[str, Any] = {
        "name": "p",
        "service": "s",
        "env": {"E": "1"},
        "secrets": {"TOKEN": {"env": "T"}, "OTHER": {"env": "O"}},
    }
    stages = {"build": {"steps": [{"run": "true"}]}, "test": {**STAGE, **(stage or {})}}
    return Pipeline.model_validate({**given, "stages": stages, **more})


def key(
    stage: dict[str, Any] | None = None, tree: str = "t1", needs: dict[str, str] | None = None, cell: int = 1, **more: Any
) -> str:
    whole = pipeline(stage, **more)
    return stage_key(tree, expand(whole)[cell], whole, {"build": "k1"} if needs is None else needs)


def steps(**changes: Any) -> list[dict[str, Any]]:
    return [{**STAGE["steps"][0], **changes}, STAGE["steps"][1]]


def shuffled(value: Any) -> Any:
    """The same data with the keys of every mapping the other way round."""
    if isinstance(value, dict):
        return {name: shuffled(item) for name, item in reversed(value.items())}
    return [shuffled(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize(
    "changed",
    [
        {"tree": "t2"},
        {"needs": {"build": "k2"}},
        {"needs": {}},
        {"needs": {"build": "k1", "lint": "k1"}},
        {"cell": 2},
        {"env": {"E": "2"}},
        {"env": {}},
        {"service": "other"},
        {"secrets": {"TOKEN": {"env": "T2"}}},
        {"stage": {"steps": steps(run="make all")}},
        {"stage": {"steps": steps(env={"A": "1"})}},
        {"stage": {"steps": steps(secrets=[])}},
        {"stage": {"steps": steps(image="python:3")}},
        {"stage": {"steps": steps(workdir="sub")}},
        {"stage": {"steps": steps(allow_failure=True)}},
        {"stage": {"steps": STAGE["steps"][::-1]}},
        {"stage": {"steps": [STAGE["steps"][0], {"uses": "ruff", "with": {"paths": ["src"]}}]}},
        {"stage": {"env": {"X": "2"}}},
        {"stage": {"secrets": ["OTHER"]}},
        {"stage": {"artifacts": []}},
        {"stage": {"caches": []}},
        {"stage": {"reports": {"junit": ["a.xml"]}}},
        {"stage": {"workspace": "shared"}},
    ],
    ids=str,
)
def test_any_other_input_is_another_stage(changed: dict[str, Any]) -> None:
    assert key(**changed) != key()


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"needs": {"compile": "k1"}},
        {"description": "other words"},
        {"hold": 1},
        {"on": {"push": []}},
        {"name": "other"},
        {"secrets": {"TOKEN": {"env": "T"}, "OTHER": {"env": "changed"}}},
        {"stage": {"timeout": 5, "retry": {"failure": 2}}},
        {"stage": {"steps": steps(timeout=1)}},
        {"stage": {"when": {"branch": ["main"]}, "concurrency": "x", "allow_failure": True, "reuse": False}},
        {"stage": {"matrix": {"py": ["3.11", "3.12", "3.13"]}}},
    ],
    ids=str,
)
def test_what_decides_nothing_of_the_result_is_not_in_the_key(changed: dict[str, Any]) -> None:
    assert key(**changed) == key()


def test_the_rollout_is_not_in_the_key() -> None:
    release = {"environment": "prod", "release": {"process": {"command": "serve"}}}
    assert key({**release, "rollout": {"strategy": "rolling"}}) == key({**release, "rollout": {"strategy": "blue-green"}})


def test_the_order_of_keys_does_not_matter() -> None:
    assert key(shuffled({name: STAGE[name] for name in STAGE})) == key()
    assert key(needs={"a": "1", "b": "2"}) == key(needs={"b": "2", "a": "1"})


@given(JSON)
def test_canonical_json_is_the_same_in_any_order_and_says_the_same(value: Any) -> None:
    assert canonical(shuffled(value)) == canonical(value)
    assert json.loads(canonical(value)) == value


@given(JSON, JSON)
def test_different_data_has_different_digests(one: Any, other: Any) -> None:
    assert (digest(one) == digest(other)) == (canonical(one) == canonical(other))
    if one != other:
        assert digest(one) != digest(other)


def test_what_json_cannot_say_is_refused() -> None:
    with pytest.raises(ValueError, match="JSON"):
        canonical(float("nan"))


STEPS = [Step(run="a"), Step(run="b"), Step(run="a", env={"A": "1"}), Step(uses="a"), Step(run="a", timeout=1)]
STEP_INPUTS = {
    "run_id": st.text(max_size=4),
    "stage": st.sampled_from(["a", "a[x=1]", "b"]),
    "index": st.integers(0, 3),
    "step": st.sampled_from(STEPS),
    "cell": st.sampled_from([{}, {"x": 1}, {"x": "1"}, {"x": 1.5}, {"x": True}]),
}


def _text(inputs: dict[str, Any]) -> str:
    return json.dumps(inputs, default=Step.model_dump_json, sort_keys=True)


@given(st.fixed_dictionaries(STEP_INPUTS), st.fixed_dictionaries(STEP_INPUTS))
def test_a_step_key_changes_with_every_input(one: dict[str, Any], other: dict[str, Any]) -> None:
    same = _text(one) == _text(other)
    assert (step_key(**one) == step_key(**other)) == same


def test_keys_are_the_same_in_another_process() -> None:
    whole = pipeline()
    instance = expand(whole)[1]
    script = (
        "import sys; from pipelines.graph import expand; from pipelines.keys import stage_key, step_key;"
        "from pipelines.spec import Pipeline; p = Pipeline.model_validate_json(sys.stdin.read()); i = expand(p)[1];"
        "print(stage_key('t1', i, p, {'build': 'k1'}), step_key('r', i.name, 0, i.stage.steps[0], i.cell))"
    )
    env = {"PYTHONHASHSEED": "4711", "PATH": ""}
    said = subprocess.run([sys.executable, "-c", script], input=whole.model_dump_json(), env=env, capture_output=True, text=True)
    assert said.stderr == ""
    assert said.stdout.split() == [key(), step_key("r", instance.name, 0, instance.stage.steps[0], instance.cell)]


def test_keys_survive_a_journey_through_json() -> None:
    whole = pipeline()
    again = Pipeline.model_validate_json(whole.model_dump_json())
    here, there = expand(whole)[1], expand(again)[1]
    assert isinstance(there, Instance)
    assert stage_key("t", here, whole, {}) == stage_key("t", there, again, {})


def test_a_key_is_64_hex_digits() -> None:
    assert len(key()) == 64
    assert int(key(), 16) > 0
