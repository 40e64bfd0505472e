"""Webhooks against the real application and a real Temporal server."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlencode

import httpx
import pytest
from temporalio.client import Client

from pipelines.messages.common import RunRequest
from pipelines.settings import Settings
from starter.runs.find import request_of
from starter.web import create_app
from starter.webhooks import received
from tests.starter.web.conftest import serving, settings_for
from tests.starter.web.payloads import (
    HUB_PING,
    Payload,
    dumped,
    github_headers,
    gitlab_headers,
    hub_deletion,
    hub_pull_request,
    hub_push,
    hub_release,
    lab_merge_request,
    lab_push,
)
from tests.support.ports import free_port
from tests.support.repos import Repo
from tests.support.temporal import TemporalServer


@pytest.fixture
def sha() -> str:
    return secrets.token_hex(20)


async def deliver(http: httpx.AsyncClient, event: str, payload: Payload) -> httpx.Response:
    body = dumped(payload)
    return await http.post("/webhooks/github", content=body, headers=github_headers(body, event))


async def deliver_lab(http: httpx.AsyncClient, event: str, payload: Payload) -> httpx.Response:
    return await http.post("/webhooks/gitlab", content=dumped(payload), headers=gitlab_headers(event))


async def started(client: Client, run_id: str) -> RunRequest:
    """The request that Temporal keeps of the run."""
    return await request_of(await client.get_workflow_handle(run_id).describe())


async def executions(client: Client, run_id: str) -> int:
    handle = client.get_workflow_handle(run_id)
    await handle.describe()
    return len([each async for each in client.list_workflows(f"WorkflowId = '{run_id}'")]) or 1


async def test_a_push_is_a_run_that_temporal_has(http: httpx.AsyncClient, standins: Client, sha: str) -> None:
    answer = await deliver(http, "push", hub_push(sha, before="d" * 40))
    assert answer.status_code == 202
    run_id = f"github/acme/shop/{sha}/default"
    assert answer.json() == {"run_id": run_id, "started": True, "url": f"http://127.0.0.1:8080/runs/{run_id}"}
    request = await started(standins, run_id)
    assert (request.branch, request.base_sha, request.event, request.tag) == ("main", "d" * 40, "push", None)
    assert (request.title, request.actor, request.fork) == ("Add the cart", "ada", False)
    assert request.clone_url == "https://github.com/acme/shop.git"
    assert request.delivery == "72d3162e-cc78-11e3-81ab-4c9367dc0958"


async def test_a_delivery_that_comes_again_is_the_same_run(http: httpx.AsyncClient, standins: Client, sha: str) -> None:
    first = await deliver(http, "push", hub_push(sha))
    second = await deliver(http, "push", hub_push(sha))
    assert (first.json()["started"], second.json()["started"]) == (True, False)
    assert first.json()["run_id"] == second.json()["run_id"]
    assert second.status_code == 202
    assert await executions(standins, first.json()["run_id"]) == 1


async def test_many_deliveries_at_once_start_one_run(http: httpx.AsyncClient, standins: Client, sha: str) -> None:
    answers = await asyncio.gather(*(deliver(http, "push", hub_push(sha)) for _ in range(12)))
    assert {answer.status_code for answer in answers} == {202}
    assert sorted(answer.json()["started"] for answer in answers) == [False] * 11 + [True]
    assert len({answer.json()["run_id"] for answer in answers}) == 1


async def test_a_commit_has_a_run_for_each_reason(http: httpx.AsyncClient, sha: str) -> None:
    """A pull request of a fork has no secrets, and must not stand for the run of the branch that takes its commit in."""
    answers = [
        await deliver(http, "pull_request", hub_pull_request(sha, head_repo="eve/shop")),
        await deliver(http, "push", hub_push(sha, "refs/heads/feature/cart")),
        await deliver(http, "push", hub_push(sha, "refs/tags/v1.0")),
        await deliver(http, "push", hub_push(sha)),
    ]
    assert [answer.json()["started"] for answer in answers] == [True] * 4
    ids = [answer.json()["run_id"].removeprefix(f"github/acme/shop/{sha}/") for answer in answers]
    assert ids[0] == "default@pr-2"
    assert ids[1].startswith("default@branch-feature-cart-")
    assert ids[2:] == ["default@tag-v1.0", "default"]


async def test_a_pull_request_of_a_fork(http: httpx.AsyncClient, standins: Client, sha: str) -> None:
    answer = await deliver(http, "pull_request", hub_pull_request(sha, "synchronize", head_repo="eve/shop"))
    request = await started(standins, answer.json()["run_id"])
    assert request.fork is True
    assert (request.repo, request.clone_url) == ("acme/shop", "https://github.com/acme/shop.git")
    assert (request.branch, request.base_sha, request.event, request.actor) == ("main", "b" * 40, "pull_request", "grace")


async def test_a_merge_request(http: httpx.AsyncClient, standins: Client, sha: str) -> None:
    answer = await deliver_lab(http, "Merge Request Hook", lab_merge_request(sha))
    assert answer.json()["run_id"] == f"gitlab/acme/web/shop/{sha}/default@pr-1"
    request = await started(standins, answer.json()["run_id"])
    assert (request.fork, request.branch, request.event, request.actor) == (False, "main", "pull_request", "grace")


async def test_a_push_to_gitlab(http: httpx.AsyncClient, standins: Client, sha: str) -> None:
    answer = await deliver_lab(http, "Push Hook", lab_push(sha))
    assert answer.json()["run_id"] == f"gitlab/acme/web/shop/{sha}/default"
    request = await started(standins, answer.json()["run_id"])
    assert (request.delivery, request.base_sha) == ("13792a34-cac6-4fda-95a8-c58e00a3954e", "c" * 40)
    again = await deliver_lab(http, "Push Hook", lab_push(sha))
    assert (again.json()["started"], again.json()["run_id"]) == (False, answer.json()["run_id"])


@pytest.mark.parametrize("annotated", [True, False])
async def test_a_release_is_a_run_of_its_tags_commit(
    http: httpx.AsyncClient, standins: Client, tmp_path: Path, annotated: bool
) -> None:
    repo = Repo(tmp_path / "shop")
    commit = repo.commit({"a": secrets.token_hex(8)})
    repo.git("tag", *(["-a", "-m", "one"] if annotated else []), "v1.0")
    answer = await deliver(http, "release", hub_release("v1.0", repo.url))
    assert answer.json()["run_id"] == f"github/acme/shop/{commit}/default@release-v1.0"
    request = await started(standins, answer.json()["run_id"])
    assert (request.event, request.tag, request.title) == ("release", "v1.0", "v1.0")


async def test_a_release_whose_tag_is_not_there(http: httpx.AsyncClient, tmp_path: Path) -> None:
    repo = Repo(tmp_path / "shop")
    repo.commit({"a": "b"})
    answer = await deliver(http, "release", hub_release("v9", repo.url))
    assert (answer.status_code, answer.json()["error"]) == (400, "the repository has no tag v9")
    gone = await deliver(http, "release", hub_release("v9", f"{repo.url}-gone"))
    assert (gone.status_code, "retry-after" in gone.headers) == (503, True)


@pytest.mark.parametrize(
    ("event", "payload", "reason"),
    [
        ("push", hub_deletion(), "refs/heads/old was deleted"),
        ("push", hub_push("a" * 40, "refs/notes/commits"), "neither a branch nor a tag"),
        ("pull_request", hub_pull_request("a" * 40, "labeled"), "pull request labeled"),
        ("release", hub_release("v1", "file:///x", "created"), "release created"),
        ("star", {"action": "created"}, "'star' starts no run"),
    ],
)
async def test_what_starts_no_run_is_accepted_with_the_reason(
    http: httpx.AsyncClient, event: str, payload: Payload, reason: str
) -> None:
    answer = await deliver(http, event, payload)
    assert answer.status_code == 202
    assert answer.json() == {"run_id": "", "started": False, "url": "", "reason": answer.json()["reason"]}
    assert reason in answer.json()["reason"]


async def test_ping_is_answered(http: httpx.AsyncClient) -> None:
    answer = await deliver(http, "ping", HUB_PING)
    assert (answer.status_code, answer.json()) == (200, {"pong": True})


async def test_githubs_form_is_read_too(http: httpx.AsyncClient, sha: str) -> None:
    body = urlencode({"payload": json.dumps(hub_push(sha))}).encode()
    headers = github_headers(body, "push") | {"Content-Type": "application/x-www-form-urlencoded"}
    answer = await http.post("/webhooks/github", content=body, headers=headers)
    assert (answer.status_code, answer.json()["started"]) == (202, True)


@pytest.mark.parametrize("header", [None, "sha256=" + "0" * 64, "sha1=abc", "", "sha256=é"])
async def test_a_wrong_signature_starts_nothing(http: httpx.AsyncClient, standins: Client, sha: str, header: str | None) -> None:
    body = dumped(hub_push(sha))
    headers: dict[str, str | bytes] = {**github_headers(body, "push")}
    headers.pop("X-Hub-Signature-256")
    if header is not None:
        headers["X-Hub-Signature-256"] = header.encode("latin-1")
    raw = [(name.encode(), value if isinstance(value, bytes) else value.encode()) for name, value in headers.items()]
    answer = await http.post("/webhooks/github", content=body, headers=raw)
    assert answer.status_code == 401
    assert "X-Hub-Signature-256" in answer.json()["error"]
    assert "SWITCHYARD_WEB__GITHUB_SECRET" in answer.json()["remedy"]
    right = await deliver(http, "push", hub_push(sha))
    assert right.json()["started"] is True


async def test_a_body_that_was_changed_after_signing_is_refused(http: httpx.AsyncClient, sha: str) -> None:
    headers = github_headers(dumped(hub_push(sha)), "push")
    answer = await http.post("/webhooks/github", content=dumped(hub_push("a" * 40)), headers=headers)
    assert answer.status_code == 401


@pytest.mark.parametrize("token", ["", "lab-toke", "lab-token2", "LAB-TOKEN"])
async def test_a_wrong_token_starts_nothing(http: httpx.AsyncClient, sha: str, token: str) -> None:
    answer = await http.post("/webhooks/gitlab", content=dumped(lab_push(sha)), headers=gitlab_headers("Push Hook", token))
    assert answer.status_code == 401
    assert "X-Gitlab-Token" in answer.json()["error"]
    assert (await deliver_lab(http, "Push Hook", lab_push(sha))).json()["started"] is True


async def test_without_a_secret_nothing_is_believed(tmp_path: Path, standin_server: str, sha: str) -> None:
    settings = settings_for(tmp_path, standin_server, github_secret=None, gitlab_token="")
    async with serving(create_app(settings)) as http:
        hub, lab = await deliver(http, "push", hub_push(sha)), await deliver_lab(http, "Push Hook", lab_push(sha))
    assert (hub.status_code, lab.status_code) == (503, 503)
    assert "SWITCHYARD_WEB__GITHUB_SECRET" in hub.json()["remedy"]
    assert "SWITCHYARD_WEB__GITLAB_TOKEN" in lab.json()["remedy"]


async def in_pieces(body: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(body), 1000):
        yield body[start : start + 1000]


@pytest.mark.parametrize("streamed", [True, False])
@pytest.mark.parametrize("path", ["/webhooks/github", "/webhooks/gitlab"])
async def test_too_large_a_body_is_refused(tmp_path: Path, standin_server: str, sha: str, path: str, streamed: bool) -> None:
    """Also when nobody said beforehand how long it would be."""
    body = dumped(hub_push(sha, padding="x" * 5000))
    headers = github_headers(body, "push") | gitlab_headers("Push Hook")
    async with serving(create_app(settings_for(tmp_path, standin_server, max_body=4000))) as http:
        answer = await http.post(path, content=in_pieces(body) if streamed else body, headers=headers)
    assert answer.status_code == 413
    assert "SWITCHYARD_WEB__MAX_BODY" in answer.json()["remedy"]


def without(payload: Payload, *path: str) -> Payload:
    copy = json.loads(json.dumps(payload))
    parent = copy
    for name in path[:-1]:
        parent = parent[name]
    del parent[path[-1]]
    return copy


@pytest.mark.parametrize(
    ("event", "payload", "field"),
    [
        ("push", without(hub_push("a" * 40), "repository", "clone_url"), "repository.clone_url"),
        ("push", hub_push("not a commit"), "after"),
        ("push", without(hub_push("a" * 40), "sender"), "sender"),
        ("pull_request", without(hub_pull_request("a" * 40), "pull_request", "base", "ref"), "pull_request.base.ref"),
        ("release", without(hub_release("v1", "u"), "release", "tag_name"), "release.tag_name"),
    ],
)
async def test_a_field_that_is_missing_is_named(http: httpx.AsyncClient, event: str, payload: Payload, field: str) -> None:
    answer = await deliver(http, event, payload)
    assert answer.status_code == 400
    assert f"{field}: " in answer.json()["error"]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'{"ref": 1}', b"\xff\xfe"])
async def test_a_body_that_is_no_payload(http: httpx.AsyncClient, body: bytes) -> None:
    hub = await http.post("/webhooks/github", content=body, headers=github_headers(body, "push"))
    lab = await http.post("/webhooks/gitlab", content=body, headers=gitlab_headers("Push Hook"))
    assert (hub.status_code, lab.status_code) == (400, 400)
    assert "the payload cannot be used" in hub.json()["error"]


async def test_an_event_without_its_header(http: httpx.AsyncClient, sha: str) -> None:
    body = dumped(hub_push(sha))
    headers = github_headers(body, "push")
    del headers["X-GitHub-Event"]
    answer = await http.post("/webhooks/github", content=body, headers=headers)
    assert (answer.status_code, answer.json()["error"]) == (400, "the header X-GitHub-Event is missing")


async def test_without_temporal_a_delivery_is_to_come_again(tmp_path: Path, sha: str) -> None:
    settings = settings_for(tmp_path, f"127.0.0.1:{free_port()}")
    async with serving(create_app(settings)) as http:
        answer = await deliver(http, "push", hub_push(sha))
        assert (await http.get("/healthz")).status_code == 200
        assert (await http.get("/readyz")).status_code == 503
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
    assert "Temporal does not answer" in answer.json()["error"]


@pytest.mark.server
async def test_temporal_goes_and_comes_back(tmp_path: Path, sha: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The one client survives it: no restart of the web server is needed."""
    monkeypatch.setattr(received, "START_SECONDS", 1.0)
    server = TemporalServer(tmp_path)
    async with serving(create_app(settings_for(tmp_path, server.address))) as http:
        assert (await deliver(http, "push", hub_push(sha))).status_code == 503
        await asyncio.to_thread(server.start)
        try:
            assert (await deliver(http, "push", hub_push(sha))).json()["started"] is True
            server.kill()
            lost = await deliver(http, "push", hub_push(secrets.token_hex(20)))
            assert (lost.status_code, "retry-after" in lost.headers) == (503, True)
            await asyncio.to_thread(server.start)
            monkeypatch.setattr(received, "START_SECONDS", 15.0)
            again = await deliver(http, "push", hub_push(sha))
            assert (again.status_code, again.json()["started"]) == (202, False)
        finally:
            server.kill()


async def test_the_settings_say_where_the_run_is(tmp_path: Path, standin_server: str, sha: str) -> None:
    settings: Settings = settings_for(tmp_path, standin_server, public_url="https://ci.example")
    async with serving(create_app(settings)) as http:
        answer = await deliver(http, "push", hub_push(sha))
    assert answer.json()["url"] == f"https://ci.example/runs/github/acme/shop/{sha}/default"
