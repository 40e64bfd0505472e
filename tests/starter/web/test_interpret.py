"""From a provider's payload to a run's request, without a server."""

from __future__ import annotations

from typing import Any

import pytest

from pipelines.errors import Unavailable, UserError
from pipelines.messages.common import RunRequest
from starter.runs.find import _RUN_ID
from starter.webhooks import github, gitlab, tags
from starter.webhooks.received import Ignored, branch_ref, first_line
from tests.starter.web.payloads import (
    ZEROS,
    Payload,
    dumped,
    hub_pull_request,
    hub_push,
    hub_release,
    lab_merge_request,
    lab_push,
    lab_release,
)
from tests.support.repos import Repo

SHA = "0123456789abcdef0123456789abcdef01234567"


def hub(event: str, payload: Payload) -> RunRequest:
    found = github.GITHUB.interpret(event, dumped(payload))
    assert isinstance(found, RunRequest), found
    return found


def lab(event: str, payload: Payload) -> RunRequest:
    found = gitlab.GITLAB.interpret(event, dumped(payload))
    assert isinstance(found, RunRequest), found
    return found


def why_not(found: RunRequest | Ignored) -> str:
    assert isinstance(found, Ignored), found
    return found.reason


def test_a_github_tag_is_the_commit_and_not_the_tag_object() -> None:
    payload = hub_push(SHA, "refs/tags/release/1.0") | {"after": "e" * 40}
    found = hub("push", payload)
    assert (found.sha, found.tag, found.branch, found.base_sha) == (SHA, "release/1.0", "", None)


@pytest.mark.parametrize(("before", "base"), [(ZEROS, None), ("c" * 40, "c" * 40)])
def test_a_branchs_first_push_has_nothing_to_compare_with(before: str, base: str | None) -> None:
    assert hub("push", hub_push(SHA, before=before)).base_sha == base
    assert lab("Push Hook", lab_push(SHA, before=before)).base_sha == base


def test_a_branch_may_have_slashes_in_its_name() -> None:
    assert hub("push", hub_push(SHA, "refs/heads/feature/a/b")).branch == "feature/a/b"
    assert lab("Push Hook", lab_push(SHA, "refs/heads/feature/a/b")).branch == "feature/a/b"


@pytest.mark.parametrize(("head", "fork"), [("acme/shop", False), ("eve/shop", True), ("acme/shop-fork", True), (None, True)])
def test_what_is_not_surely_the_same_repository_is_a_fork(head: str | None, fork: bool) -> None:
    found = hub("pull_request", hub_pull_request(SHA, head_repo=head))
    assert found.fork is fork
    assert (found.sha, found.repo) == (SHA, "acme/shop")


@pytest.mark.parametrize(("source", "fork"), [(15, False), (16, True), (None, True)])
def test_a_merge_request_from_another_project_is_a_fork(source: int | None, fork: bool) -> None:
    assert lab("Merge Request Hook", lab_merge_request(SHA, source_project=source)).fork is fork


@pytest.mark.parametrize("action", ["opened", "synchronize", "reopened"])
def test_pull_requests_that_bring_commits(action: str) -> None:
    found = hub("pull_request", hub_pull_request(SHA, action, number=7))
    assert (found.ref, found.title, found.event) == ("pr-7", "A cart for the shop", "pull_request")


@pytest.mark.parametrize("action", ["closed", "edited", "assigned", "converted_to_draft"])
def test_pull_requests_that_bring_none(action: str) -> None:
    assert action in why_not(github.GITHUB.interpret("pull_request", dumped(hub_pull_request(SHA, action))))


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (lab_merge_request(SHA, "merge"), "merge request merge"),
        (lab_merge_request(SHA, "approved"), "merge request approved"),
        (lab_merge_request(SHA, None), "without action"),
        (lab_merge_request(SHA, "update"), "without new commits"),
        (lab_merge_request(SHA, "update", oldrev=ZEROS), "without new commits"),
    ],
)
def test_merge_requests_that_bring_no_commits(payload: Payload, reason: str) -> None:
    assert reason in why_not(gitlab.GITLAB.interpret("Merge Request Hook", dumped(payload)))


def test_a_merge_request_with_new_commits() -> None:
    found = lab("Merge Request Hook", lab_merge_request(SHA, "update", oldrev="d" * 40))
    assert (found.sha, found.branch, found.ref) == (SHA, "main", "pr-1")
    assert found.clone_url == "https://gitlab.example/acme/web/shop.git"


@pytest.mark.parametrize(("event", "ref"), [("Push Hook", "refs/heads/old"), ("Tag Push Hook", "refs/tags/v1")])
def test_what_gitlab_says_was_deleted(event: str, ref: str) -> None:
    assert why_not(gitlab.GITLAB.interpret(event, dumped(lab_push(None, ref)))) == f"{ref} was deleted"


def test_gitlabs_tags_and_releases() -> None:
    tag = lab("Tag Push Hook", lab_push(SHA, "refs/tags/v1.1.0"))
    assert (tag.tag, tag.branch, tag.event, tag.ref) == ("v1.1.0", "", "push", "tag-v1.1.0")
    release = lab("Release Hook", lab_release(SHA))
    assert (release.sha, release.tag, release.event, release.title) == (SHA, "v1.1.0", "release", "The cart")
    assert tag.workflow_id != release.workflow_id
    assert "update" in why_not(gitlab.GITLAB.interpret("Release Hook", dumped(lab_release(SHA, "update"))))


def test_other_refs_of_gitlab() -> None:
    assert "neither" in why_not(gitlab.GITLAB.interpret("Push Hook", dumped(lab_push(SHA, "refs/keep-around/x"))))


def test_the_title_is_the_commits_first_line() -> None:
    assert hub("push", hub_push(SHA)).title == "Add the cart"
    assert lab("Push Hook", lab_push(SHA)).title == "Add the cart"
    assert lab("Push Hook", lab_push(SHA, commits=[])).title == ""
    assert len(first_line("x" * 1000)) == 200


@pytest.mark.parametrize(
    "name", ["shop", "acme/", "/shop", "acme/sh op", "acme/'", 'acme/"', "acme\\shop", "acme/shop@1", "acme/s\nhop", ""]
)
def test_a_repository_needs_a_proper_name(name: str) -> None:
    payload = hub_push(SHA)
    payload["repository"]["full_name"] = name
    with pytest.raises(UserError, match=r"repository\.full_name"):
        github.GITHUB.interpret("push", dumped(payload))


@pytest.mark.parametrize("sha", ["", "abc", "A" * 40, "g" * 40, "a" * 41, "a" * 39 + "\n", 5])
def test_a_commit_needs_a_full_id(sha: Any) -> None:
    with pytest.raises(UserError, match="after"):
        github.GITHUB.interpret("push", dumped(hub_push(SHA) | {"after": sha}))
    with pytest.raises(UserError, match="checkout_sha"):
        gitlab.GITLAB.interpret("Push Hook", dumped(lab_push(SHA) | {"checkout_sha": sha}))


def test_an_error_does_not_repeat_the_payload() -> None:
    """A payload may hold what nobody should read in an answer or a log."""
    payload = hub_push(SHA)
    payload["repository"]["clone_url"] = ["hidden-value"]
    with pytest.raises(UserError) as caught:
        github.GITHUB.interpret("push", dumped(payload))
    assert "repository.clone_url" in str(caught.value)
    assert "hidden-value" not in str(caught.value)


def test_one_commit_and_all_its_reasons() -> None:
    """Ids differ, are the same when made again, and are ids that the command line takes."""

    def made() -> list[str]:
        requests = [
            hub("push", hub_push(SHA)),
            hub("push", hub_push(SHA, "refs/heads/next")),
            hub("push", hub_push(SHA, "refs/heads/feature/next")),
            hub("push", hub_push(SHA, "refs/tags/next")),
            hub("pull_request", hub_pull_request(SHA, number=1)),
            hub("pull_request", hub_pull_request(SHA, number=2)),
            hub("release", hub_release("next", "u")).model_copy(update={"sha": SHA}),
            lab("Push Hook", lab_push(SHA)),
            lab("Merge Request Hook", lab_merge_request(SHA)),
        ]
        return [each.workflow_id for each in requests]

    ids = made()
    assert len(set(ids)) == len(ids)
    assert made() == ids
    for each in ids:
        match = _RUN_ID.match(each)
        assert match, each
        assert (match["sha"], match["pipeline"]) == (SHA, "default")


def test_a_default_branch_that_is_not_known_is_not_set_apart() -> None:
    assert branch_ref("main", "main") == ""
    assert branch_ref("main", "") == ""
    assert branch_ref("next", "main") == "branch-next"


async def test_a_repository_that_does_not_answer_is_asked_again(tmp_path: Any) -> None:
    repo = Repo(tmp_path / "r")
    repo.commit({"a": "b"})
    repo.git("tag", "v1")
    with pytest.raises(Unavailable, match="v1 does not answer"):
        await tags.commit_of_tag(repo.url, "v1", patience=0.0)
    assert await tags.commit_of_tag(repo.url, "v1") == repo.git("rev-parse", "v1")


@pytest.mark.parametrize("url", ["ext::sh -c 'touch owned'", "--upload-pack=touch owned", "http://127.0.0.1:1/x"])
async def test_a_url_runs_no_command(url: str, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(Unavailable):
        await tags.commit_of_tag(url, "v1")
    assert not list(tmp_path.iterdir())
