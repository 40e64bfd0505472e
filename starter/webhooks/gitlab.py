"""POST /webhooks/gitlab: pushes, tags, merge requests and releases.

Payloads: https://docs.gitlab.com/user/project/integrations/webhook_events/; proof: the header X-Gitlab-Token.
"""

from __future__ import annotations

import hmac

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import Field

from pipelines.messages.common import Message, RunRequest
from starter.api.site import TheSite
from starter.webhooks.received import (
    Ignored,
    NoSecret,
    Provider,
    RepoName,
    Sha,
    Text,
    WrongProof,
    first_line,
    known_commit,
    parse,
    pushed,
    refusal,
    secret_of,
)

MERGE_REQUEST_ACTIONS = ("open", "reopen", "update")
router = APIRouter()


class Project(Message):
    path_with_namespace: RepoName
    git_http_url: Text
    default_branch: str | None = None


class Commit(Message):
    id: Sha
    message: str = ""


class Push(Message):
    """Of a branch or a tag. `checkout_sha` is the commit, also of an annotated tag; None when the ref was deleted."""

    ref: Text
    before: str = ""
    checkout_sha: Sha | None
    user_username: str
    project: Project
    commits: list[Commit] = Field(default_factory=list)


class MergeRequest(Message):
    """`oldrev` is there when an update brought new commits."""

    iid: int
    action: str = ""
    title: str = ""
    target_branch: Text
    source_project_id: int | None
    target_project_id: int
    last_commit: Commit
    oldrev: str = ""


class Person(Message):
    username: str


class MergeRequestEvent(Message):
    user: Person
    project: Project
    object_attributes: MergeRequest


class ReleaseEvent(Message):
    action: Text
    tag: Text
    name: str = ""
    commit: Commit
    project: Project


@router.post("/webhooks/gitlab", status_code=202)
async def gitlab(request: Request, site: TheSite) -> JSONResponse:
    """202; 400, 401, 413, 503 as JSON {error, remedy}."""
    try:
        secret = secret_of(site.settings.web.gitlab_token, "SWITCHYARD_WEB__GITLAB_TOKEN")
        check(secret, request.headers.get("x-gitlab-token", ""))
    except (NoSecret, WrongProof) as error:
        return refusal(error)
    return await GITLAB.take(site, request, await request.body())


def check(secret: bytes, token: str) -> None:
    """Raises WrongProof; takes the same time wherever the token differs."""
    if not hmac.compare_digest(secret, token.encode()):
        why = "is wrong" if token else "is missing"
        raise WrongProof(f"X-Gitlab-Token {why}", "Give GitLab's webhook the same token as SWITCHYARD_WEB__GITLAB_TOKEN")


def _push(payload: bytes) -> RunRequest | Ignored:
    push = parse(Push, payload)
    if push.checkout_sha is None:
        return Ignored(f"{push.ref} was deleted")
    where = pushed(push.ref, push.before, push.project.default_branch or "")
    if isinstance(where, Ignored):
        return where
    head = next((commit for commit in push.commits if commit.id == push.checkout_sha), None)
    return RunRequest(
        provider="gitlab",
        repo=push.project.path_with_namespace,
        clone_url=push.project.git_http_url,
        sha=push.checkout_sha,
        event="push",
        actor=push.user_username,
        title=first_line(head.message) if head else "",
        **where,
    )


def _merge_request(payload: bytes) -> RunRequest | Ignored:
    event = parse(MergeRequestEvent, payload)
    asked = event.object_attributes
    if asked.action not in MERGE_REQUEST_ACTIONS:
        return Ignored(f"merge request {asked.action[:60] or 'without action'}; {', '.join(MERGE_REQUEST_ACTIONS)} start a run")
    if asked.action == "update" and not known_commit(asked.oldrev):
        return Ignored("the merge request was updated without new commits")
    return RunRequest(
        provider="gitlab",
        repo=event.project.path_with_namespace,
        clone_url=event.project.git_http_url,
        sha=asked.last_commit.id,
        branch=asked.target_branch,
        event="pull_request",
        actor=event.user.username,
        title=first_line(asked.title),
        fork=asked.source_project_id != asked.target_project_id,
        ref=f"pr-{asked.iid}",
    )


def _release(payload: bytes) -> RunRequest | Ignored:
    event = parse(ReleaseEvent, payload)
    if event.action != "create":
        return Ignored(f"release {event.action[:60]}; create starts a run")
    return RunRequest(
        provider="gitlab",
        repo=event.project.path_with_namespace,
        clone_url=event.project.git_http_url,
        sha=event.commit.id,
        tag=event.tag,
        event="release",
        actor="gitlab",
        title=first_line(event.name or event.tag),
        ref=f"release-{event.tag}",
    )


GITLAB = Provider(
    name="GitLab",
    event="X-Gitlab-Event",
    delivery="X-Gitlab-Event-UUID",
    readers={
        "Push Hook": _push,
        "Tag Push Hook": _push,
        "Merge Request Hook": _merge_request,
        "Release Hook": _release,
    },
)
