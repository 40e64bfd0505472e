"""The models: they travel through histories as JSON, cannot be changed, and know durations."""

from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import PydanticUndefined

from pipelines import spec
from pipelines.graph import expand
from pipelines.keys import stage_key, step_key
from pipelines.spec import Duration, Pipeline, SpecModel
from pipelines.spec.base import EnvName, RolloutModel, parse_duration
from tests.support.definitions import definitions

MODELS = [each for each in vars(spec).values() if isinstance(each, type) and issubclass(each, SpecModel | RolloutModel)]


@given(definitions())
def test_a_pipeline_survives_a_journey_through_json(data: dict[str, Any]) -> None:
    pipeline = Pipeline.model_validate(data)
    again = Pipeline.model_validate_json(pipeline.model_dump_json())
    assert again == pipeline
    assert again.model_dump_json() == pipeline.model_dump_json()
    assert Pipeline.model_validate_json(pipeline.model_dump_json(by_alias=True)) == pipeline


@given(definitions())
def test_keys_and_instances_are_the_same_after_the_journey(data: dict[str, Any]) -> None:
    pipeline = Pipeline.model_validate(data)
    again = Pipeline.model_validate_json(pipeline.model_dump_json())
    here, there = expand(pipeline), expand(again)
    assert here == there
    for one, other in zip(here, there, strict=True):
        assert stage_key("t", one, pipeline, {}) == stage_key("t", other, again, {})
        for index, step in enumerate(one.stage.steps):
            moved = step_key("r", other.name, index, other.stage.steps[index], other.cell)
            assert step_key("r", one.name, index, step, one.cell) == moved


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_defaults_are_what_validation_would_make_of_them(model: type[BaseModel]) -> None:
    for name, field in model.model_fields.items():
        default = field.get_default(call_default_factory=True) if not field.is_required() else PydanticUndefined
        if default is not PydanticUndefined and get_args(field.annotation) == () and field.annotation in (int, float, str, bool):
            assert type(default) is field.annotation, f"{model.__name__}.{name}"


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_model_is_frozen_says_what_it_means_and_refuses_strange_words(model: type[BaseModel]) -> None:
    assert model.model_config.get("frozen") is True
    assert model.model_config.get("extra") == "forbid"
    assert model.model_config.get("allow_inf_nan") is False
    assert model.__doc__


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("500ms", 0.5), ("30s", 30), ("1.5m", 90), ("1h30m", 5400), ("7d", 604800), (" 5m ", 300), ("0s", 0), (2, 2), (2.5, 2.5)],
)
def test_durations_are_seconds(text: object, seconds: float) -> None:
    assert TypeAdapter(Duration).validate_python(text) == seconds


@pytest.mark.parametrize("text", ["", "5", "m", "5 m", "5x", "-5m", "1h-30m", "5mm", "inf", -1, float("inf")])
def test_what_is_no_duration_is_refused(text: object) -> None:
    class Model(SpecModel):
        """One duration."""

        at: Duration

    with pytest.raises(ValidationError):
        Model.model_validate({"at": text})


@given(st.integers(0, 10**6), st.integers(0, 59), st.integers(0, 59))
def test_parts_of_a_duration_add_up(hours: int, minutes: int, seconds: int) -> None:
    assert parse_duration(f"{hours}h{minutes}m{seconds}s") == hours * 3600 + minutes * 60 + seconds


@pytest.mark.parametrize(
    ("name", "good"), [("A", True), ("_a1", True), ("1A", False), ("A-B", False), ("", False), ("A\n", False)]
)
def test_names_of_environment_variables(name: str, good: bool) -> None:
    adapter = TypeAdapter(EnvName)
    if good:
        assert adapter.validate_python(name) == name
    else:
        with pytest.raises(ValidationError):
            adapter.validate_python(name)


def test_rollout_words_have_two_spellings_and_with_is_options() -> None:
    camel = spec.CanarySpec.model_validate({"strategy": "canary", "steps": [{"setWeight": 5}], "scaleDownDelay": "1m"})
    snake = spec.CanarySpec.model_validate({"strategy": "canary", "steps": [{"set_weight": 5}], "scale_down_delay": 60})
    assert camel == snake
    assert spec.Step.model_validate({"uses": "ruff", "with": {"a": 1}}) == spec.Step(uses="ruff", options={"a": 1})


def test_the_title_of_a_step_is_what_people_see() -> None:
    assert spec.Step(run="\n  make all\nmake test").title == "make all"
    assert spec.Step(uses="ruff").title == "ruff"
    assert spec.Step(uses="ruff", name="lint").title == "lint"


def test_all_that_does_not_hang_together_is_told_at_its_place() -> None:
    stages = {
        "a": {"needs": ["b", "x"], "steps": [{"run": "1", "secrets": ["S"]}]},
        "b": {"needs": ["a"], "steps": [{"run": "1"}]},
    }
    with pytest.raises(ValidationError) as caught:
        Pipeline.model_validate({"name": "p", "service": "p", "stages": stages})
    places = [error["loc"] for error in caught.value.errors()]
    assert places == [("stages", "a", "needs", 1), ("stages", "a", "needs", 0), ("stages", "a", "steps", 0, "secrets", 0)]
