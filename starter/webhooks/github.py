"""POST /webhooks/github: pushes, pull requests and published releases.

Payloads: https://docs.github.com/webhooks/webhook-events-and-payloads; signature: X-Hub-Signature-256, HMAC-SHA256 of the body.
"""

from __future__ import annotations

import hashlib
import hmac

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

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

PULL_REQUEST_ACTIONS = ("opened", "synchronize", "reopened")
router = APIRouter()


class Account(Message):
    login: str


class Repository(Message):
    full_name: RepoName
    clone_url: Text
    default_branch: str = ""


class HeadCommit(Message):
    id: Sha
    message: str = ""


class Push(Message):
    ref: Text
    before: str = ""
    after: Sha
    deleted: bool = False
    head_commit: HeadCommit | None = None
    repository: Repository
    sender: Account


class HeadRepository(Message):
    full_name: str


class Head(Message):
    """`repo` is None when the fork was deleted meanwhile."""

    sha: Sha
    repo: HeadRepository | None = None


class Base(Message):
    ref: Text
    sha: Sha
    repo: Repository


class PullRequest(Message):
    title: str = ""
    head: Head
    base: Base


class PullRequestEvent(Message):
    action: Text
    number: int
    pull_request: PullRequest
    sender: Account


class Release(Message):
    tag_name: Text
    name: str | None = None


class ReleaseEvent(Message):
    action: Text
    release: Release
    repository: Repository
    sender: Account


@router.post("/webhooks/github", status_code=202)
async def github(request: Request, site: TheSite) -> JSONResponse:
    """200 to a ping; 202 otherwise; 400, 401, 413, 503 as JSON {error, remedy}."""
    try:
        secret = secret_of(site.settings.web.github_secret, "SWITCHYARD_WEB__GITHUB_SECRET")
        signature = request.headers.get("x-hub-signature-256", "")
        body = await request.body() if signature else b""
        check(secret, body, signature)
    except (NoSecret, WrongProof) as error:
        return refusal(error)
    if request.headers.get(GITHUB.event) == "ping":
        return JSONResponse({"pong": True})
    return await GITHUB.take(site, request, body)


def check(secret: bytes, body: bytes, signature: str) -> None:
    """Raises WrongProof; takes the same time wherever the signature differs."""
    right = "sha256=" + hmac.new(secret, body, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(right.encode(), signature.encode()):
        why = "is wrong" if signature else "is missing"
        raise WrongProof(f"X-Hub-Signature-256 {why}", "Give GitHub's webhook the same secret as SWITCHYARD_WEB__GITHUB_SECRET")


def _push(payload: bytes) -> RunRequest | Ignored:
    push = parse(Push, payload)
    if push.deleted or not known_commit(push.after):
        return Ignored(f"{push.ref} was deleted")
    where = pushed(push.ref, push.before, push.repository.default_branch)
    if isinstance(where, Ignored):
        return where
    return RunRequest(
        provider="github",
        repo=push.repository.full_name,
        clone_url=push.repository.clone_url,
        sha=push.head_commit.id if push.head_commit else push.after,
        event="push",
        actor=push.sender.login,
        title=first_line(push.head_commit.message) if push.head_commit else "",
        **where,
    )


def _pull_request(payload: bytes) -> RunRequest | Ignored:
    event = parse(PullRequestEvent, payload)
    if event.action not in PULL_REQUEST_ACTIONS:
        return Ignored(f"pull request {event.action[:60]}; {', '.join(PULL_REQUEST_ACTIONS)} start a run")
    head, base = event.pull_request.head, event.pull_request.base
    return RunRequest(
        provider="github",
        repo=base.repo.full_name,
        clone_url=base.repo.clone_url,
        sha=head.sha,
        branch=base.ref,
        base_sha=base.sha,
        event="pull_request",
        actor=event.sender.login,
        title=first_line(event.pull_request.title),
        fork=head.repo is None or head.repo.full_name != base.repo.full_name,
        ref=f"pr-{event.number}",
    )


def _release(payload: bytes) -> RunRequest | Ignored:
    event = parse(ReleaseEvent, payload)
    if event.action != "published":
        return Ignored(f"release {event.action[:60]}; published starts a run")
    return RunRequest(
        provider="github",
        repo=event.repository.full_name,
        clone_url=event.repository.clone_url,
        sha="",
        tag=event.release.tag_name,
        event="release",
        actor=event.sender.login,
        title=first_line(event.release.name or event.release.tag_name),
        ref=f"release-{event.release.tag_name}",
    )


GITHUB = Provider(
    name="GitHub",
    event="X-GitHub-Event",
    delivery="X-GitHub-Delivery",
    readers={"push": _push, "pull_request": _pull_request, "release": _release},
)
