"""The built-in checks' names, queues and options."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from activities.checks.registry import CHECKS
from pipelines.builtins import BUILTINS
from pipelines.ports import QUEUES

NEEDED = {
    "junit": {"run": "make test", "report": "out/*.xml"},
    "sarif": {"report": "out.sarif"},
}


def test_every_builtin_has_a_check_and_every_check_a_builtin() -> None:
    assert set(CHECKS) == set(BUILTINS)


@pytest.mark.parametrize("name", BUILTINS)
def test_names_agree_and_the_queue_is_a_service(name: str) -> None:
    builtin = BUILTINS[name]
    assert (builtin.name, CHECKS[name].name) == (name, name)
    assert builtin.queue in QUEUES
    assert builtin.description.endswith(".")


@pytest.mark.parametrize("name", BUILTINS)
def test_options_have_defaults_except_where_nothing_can_be_guessed(name: str) -> None:
    BUILTINS[name].options.model_validate(NEEDED.get(name, {}))


@pytest.mark.parametrize("name", BUILTINS)
def test_an_unknown_option_is_refused_by_name(name: str) -> None:
    with pytest.raises(ValidationError) as caught:
        BUILTINS[name].options.model_validate(NEEDED.get(name, {}) | {"no_such_option": 1})
    assert [error["loc"] for error in caught.value.errors()] == [("no_such_option",)]


@pytest.mark.parametrize("name", NEEDED)
@pytest.mark.parametrize("option", ["report"])
def test_a_missing_option_is_named(name: str, option: str) -> None:
    given = {key: value for key, value in NEEDED[name].items() if key != option}
    with pytest.raises(ValidationError) as caught:
        BUILTINS[name].options.model_validate(given)
    assert caught.value.errors()[0]["loc"] == (option,)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("ruff", {"paths": []}),
        ("ruff", {"fail_on": "severe"}),
        ("ruff", {"paths": "src"}),
        ("secrets", {"scanner": "grep"}),
        ("secrets", {"paths": ["a", "b"]}),
        ("pytest", {"rerun_failed": -1}),
        ("pytest", {"rerun_failed": 11}),
        ("pytest", {"source": []}),
        ("coverage", {"minimum": 101}),
        ("sarif", {"report": "x", "exit_codes": []}),
    ],
)
def test_options_out_of_range_are_refused(name: str, options: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        BUILTINS[name].options.model_validate(options)


def test_lint_fails_on_anything_and_scanners_on_what_is_severe() -> None:
    assert {BUILTINS[name].options.model_validate({}).model_dump()["fail_on"] for name in ("ruff", "mypy")} == {"info"}
    assert {BUILTINS[name].options.model_validate({}).model_dump()["fail_on"] for name in ("bandit", "secrets")} == {"high"}
