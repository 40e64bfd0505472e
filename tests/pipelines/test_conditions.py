"""Whether a run starts, what it skips and where it queues."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.conditions import concurrency_group, not_triggered, skip_reason, skip_reasons, stage_group
from pipelines.errors import SpecError
from pipelines.graph import expand
from pipelines.messages.common import RunRequest
from pipelines.spec import Concurrency, Triggers, When
from tests.support.definitions import graphs, pipeline_of


def request(event: str = "push", branch: str = "main", **more: str) -> RunRequest:
    given = {"repo": "acme/shop", "clone_url": "file:///shop", "sha": "a" * 40, "event": event, "branch": branch, "actor": "ann"}
    return RunRequest.model_validate({**given, **more})


@pytest.mark.parametrize(
    ("triggers", "asked", "words"),
    [
        ({}, request(), ""),
        ({}, request("pull_request"), ""),
        ({}, request("release", ""), ""),
        ({"push": ["main", "release/*"]}, request(branch="release/1"), ""),
        ({"push": ["main"]}, request(branch="topic/x"), "runs on push to main, this is topic/x"),
        ({"push": ["main"]}, request("pull_request", "topic"), ""),
        ({"pull_request": []}, request("pull_request"), "does not run on pull_request"),
        ({"push": ["main"]}, request(branch=""), "this is no branch"),
        ({"release": False}, request("release"), "does not run on releases"),
        ({"push": [], "pull_request": [], "release": False}, request("manual", "any"), ""),
        ({"push": [], "pull_request": [], "release": False}, request("schedule", "any"), ""),
    ],
)
def test_which_events_start_a_run(triggers: dict[str, object], asked: RunRequest, words: str) -> None:
    reason = not_triggered(Triggers.model_validate(triggers), asked)
    assert words in reason
    assert bool(reason) == bool(words)


@pytest.mark.parametrize(
    ("when", "asked", "changed", "words"),
    [
        ({}, request(), None, ""),
        ({}, request(), [], ""),
        ({"branch": ["main"]}, request(), None, ""),
        ({"branch": ["main", "release/**"]}, request(branch="release/1/x"), None, ""),
        ({"branch": ["release/**"]}, request(), None, "only on branch release/**, this is main"),
        ({"branch": ["main"]}, request(branch=""), None, "this is no branch"),
        ({"event": ["push", "manual"]}, request("manual"), None, ""),
        ({"event": ["push", "manual"]}, request("pull_request"), None, "only on push, manual, this is pull_request"),
        ({"changed": ["src/**"]}, request(), ["README.md", "src/a/b.py"], ""),
        ({"changed": ["src/**", "*.toml"]}, request(), ["README.md", "docs/src/a"], "nothing changed in src/**, *.toml"),
        ({"changed": ["src/**"]}, request(), [], "nothing changed"),
        ({"changed": ["src/**"]}, request(), None, ""),
        ({"changed": ["src/**"], "branch": ["x"]}, request(), ["src/a"], "only on branch"),
        ({"changed": ["src/**"], "event": ["release"]}, request(), ["src/a"], "only on release"),
    ],
)
def test_all_of_a_condition_must_hold(when: dict[str, object], asked: RunRequest, changed: list[str] | None, words: str) -> None:
    reason = skip_reason(When.model_validate(when), asked, changed)
    assert words in reason
    assert bool(reason) == bool(words)


def test_what_follows_a_skipped_deployment_is_skipped_with_it() -> None:
    needs = {"build": [], "deploy": ["build"], "e2e": ["deploy"], "validate": ["e2e"], "report": ["build", "e2e"]}
    instances = expand(pipeline_of(needs, deploy={"when": {"branch": ["main"]}}))
    assert skip_reasons(instances, request(), None) == {}
    skipped = skip_reasons(instances, request(branch="topic"), None)
    assert list(skipped) == ["deploy", "e2e", "validate"]
    assert skipped["e2e"] == "everything it needs is skipped: deploy"
    assert skipped["deploy"].startswith("only on branch main")


def test_one_need_that_is_not_skipped_is_enough_to_run() -> None:
    needs = {"docs": [], "code": [], "pack": ["docs", "code"]}
    instances = expand(pipeline_of(needs, docs={"when": {"changed": ["docs/**"]}}))
    assert list(skip_reasons(instances, request(), ["src/a"])) == ["docs"]


def test_all_cells_are_skipped_together() -> None:
    matrix = {"matrix": {"py": [1, 2]}, "when": {"event": ["release"]}}
    instances = expand(pipeline_of({"test": [], "after": ["test"]}, test=matrix))
    assert list(skip_reasons(instances, request(), None)) == ["test[py=1]", "test[py=2]", "after"]


@given(graphs(), st.data())
def test_skipping_does_not_depend_on_order_and_leaves_nobody_without_reason(
    needs: dict[str, list[str]], data: st.DataObject
) -> None:
    off = data.draw(st.lists(st.sampled_from(sorted(needs)), unique=True))
    instances = expand(pipeline_of(needs, **{name: {"when": {"event": ["release"]}} for name in off}))
    skipped = skip_reasons(instances, request(), None)
    assert skip_reasons(instances[::-1], request(), None) == skipped
    for name, wanted in needs.items():
        by_needs = bool(wanted) and all(need in skipped for need in wanted)
        assert (name in skipped) == (name in off or by_needs)


def test_groups_are_filled_in() -> None:
    spec = Concurrency()
    assert concurrency_group(spec, request(pipeline="nightly")) == "acme/shop/main/nightly"
    assert concurrency_group(Concurrency(group="${provider}:${event}:${tag}"), request()) == "local:push:"


def test_an_unknown_name_in_a_group_is_told() -> None:
    with pytest.raises(SpecError, match="Did you mean 'branch'"):
        concurrency_group(Concurrency(group="${brnch}"), request())


def test_groups_of_stages_know_cell_and_environment() -> None:
    more = {"matrix": {"py": ["3.11"]}, "concurrency": "${environment}/${matrix.py}/${stage}/${repo}", "environment": "prod"}
    only = expand(pipeline_of({"test": []}, test=more))[0]
    assert stage_group(only, request()) == "prod/3.11/test[py=3.11]/acme/shop"
    assert stage_group(expand(pipeline_of({"test": []}))[0], request()) == ""
