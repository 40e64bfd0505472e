"""The benchmark's load: requests leave at their time and are counted from it, and GitHub's signature is right."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from pipelines.load import load_pipeline
from starter.webhooks.github import GITHUB, check
from tests.bench import noop_worker
from tests.bench.commits import PIPELINES, STEPS, Commits
from tests.bench.measures.peers import rotated
from tests.bench.measures.webhook import refused
from tests.bench.webhooks import SECRET, Answer, Sender, post, push

SHA = "a" * 40


def test_the_push_is_one_that_the_product_takes() -> None:
    head, body = post(push("/srv/service", SHA)).split(b"\r\n\r\n", 1)
    fields = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
    check(SECRET.encode(), body, fields["X-Hub-Signature-256"])
    wanted = GITHUB.interpret(fields["X-GitHub-Event"], body)
    assert (wanted.sha, wanted.clone_url, wanted.branch) == (SHA, "/srv/service", "main")
    assert int(fields["Content-Length"]) == len(body)


@asynccontextmanager
async def server(delay: float) -> AsyncIterator[Sender]:
    """Answers one request after the other, each after `delay` seconds of work that nothing else can use."""
    one_at_a_time = asyncio.Lock()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                await reader.readexactly(int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0]))
                async with one_at_a_time:
                    await asyncio.sleep(delay)
                writer.write(b"HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\n{}")
        except asyncio.IncompleteReadError:
            writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    sender = Sender(listening.sockets[0].getsockname()[1])
    try:
        yield sender
    finally:
        sender.close()
        listening.close()


async def test_waiting_in_a_queue_counts() -> None:
    """Twenty requests at once on a server that needs 10 ms for each: a closed loop would say 10 ms for all."""
    async with server(0.01) as sender:
        answers = await sender.at_rate([post(b"{}")] * 20, rate=100000)
    late = sorted(answer.late for answer in answers)
    assert {answer.status for answer in answers} == {202}
    assert late[0] >= 9
    assert late[-1] >= 190


async def test_requests_leave_at_the_rate_that_was_asked_for() -> None:
    async with server(0) as sender:
        begun = time.perf_counter()
        answers = await sender.at_rate([post(b"{}")] * 30, rate=100)
        taken = time.perf_counter() - begun
    assert len(answers) == 30
    assert taken >= 0.1 + 29 / 100
    assert all(isinstance(answer, Answer) and answer.body == b"{}" for answer in answers)


@pytest.mark.parametrize("name", PIPELINES)
def test_the_pipelines_are_valid(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for known in (noop_worker.BUILTINS, noop_worker.CHECKS):
        monkeypatch.setitem(known, "noop", None)
    noop_worker.install()
    steps = load_pipeline(PIPELINES[name], f"{name}.yml").stages["work"].steps
    assert len(steps) == (STEPS if name.endswith("10") else len(steps))


def test_every_commit_is_a_new_tree(tmp_path) -> None:
    commits = Commits(tmp_path / "service", {"WHERE": "/x"})
    requests = [commits.request("noop10") for _ in range(3)]
    trees = {commits._repo.git("rev-parse", f"{request.sha}^{{tree}}") for request in requests}
    assert len(trees) == 3
    assert json.loads(push(commits.url, requests[0].sha))["after"] == requests[0].sha
    assert "WHERE: /x" in commits._repo.git("show", f"{requests[0].sha}:.switchyard.yml")


def test_every_engine_comes_at_every_place() -> None:
    items = [("noop", "a"), ("noop", "b"), ("process", "a")]
    rounds = [rotated(items, number) for number in range(6)]
    assert all(sorted(each) == sorted(items) for each in rounds)
    for place in range(3):
        assert {each[place] for each in rounds} == set(items)


def test_refused_requests_are_counted_in_words() -> None:
    answers = [Answer(202, 1.0, b""), Answer(503, 8000.0, b""), Answer(503, 8000.0, b"")]
    assert refused(answers[:1]) == ""
    assert refused(answers) == " Of 3, refused were 2 with 503."
    with pytest.raises(RuntimeError, match="none was acknowledged"):
        refused(answers[1:])
