"""The JSON API against stand-in workflows on a real Temporal server, and real records."""

from __future__ import annotations

import secrets
from pathlib import Path

import httpx
import pytest
from temporalio.client import Client

from activities.records import Records
from activities.records.migrate import upgrade
from pipelines.counters import Counters
from pipelines.messages.common import Audit, RunRequest, Status
from pipelines.messages.deploy import Place, RollbackRequest, Verdict
from pipelines.messages.notify import RunRecord
from pipelines.messages.quality import Finding, TestCase
from pipelines.messages.runs import RolloutView, VerdictPoint, WeightPoint
from pipelines.settings import Settings
from starter import runs
from starter.api import rollouts
from starter.api.rollouts import window
from starter.web import create_app
from tests.starter.conftest import request, until
from tests.starter.standins import release, rollout_id
from tests.starter.web.conftest import AUTHORIZED, serving, settings_for
from tests.support.ports import free_port

BY = {"actor": "ada", "reason": "because"}


async def begin(client: Client, title: str, **fields: str) -> RunRequest:
    wanted = request(title, **fields)
    await runs.start(client, wanted)
    return wanted


async def ask(http: httpx.AsyncClient, path: str, **body: object) -> httpx.Response:
    return await http.post(path, headers=AUTHORIZED, json=BY | body)


async def view(http: httpx.AsyncClient, ref: str) -> dict[str, object]:
    answer = await http.get(f"/api/runs/{ref}")
    assert answer.status_code == 200, answer.text
    found: dict[str, object] = answer.json()
    return found


@pytest.fixture
def records(settings: Settings) -> Records:
    upgrade(settings.database)
    return Records(settings.database)


async def test_runs_are_listed_newest_first_by_what_is_asked(http: httpx.AsyncClient, standins: Client) -> None:
    repo = f"acme/{secrets.token_hex(4)}"
    old = await begin(standins, "wait", repo=repo)
    new = await begin(standins, "pass", repo=repo, branch="next")

    async def listed() -> bool:
        found = (await http.get("/api/runs", params={"repo": repo})).json()
        return [(run["run_id"], run["status"]) for run in found] == [
            (new.workflow_id, "passed"),
            (old.workflow_id, "running"),
        ]

    await until(listed)

    async def ids(**asked: str) -> list[str]:
        return [run["run_id"] for run in (await http.get("/api/runs", params={"repo": repo, **asked})).json()]

    assert await ids(branch="next") == [new.workflow_id]
    assert await ids(status="passed") == [new.workflow_id]
    assert await ids(limit="1") == [old.workflow_id], "what goes on is not left out"
    assert await ids(sha=old.sha[:12]) == [old.workflow_id]
    assert await ids(service="other") == []


@pytest.mark.parametrize(
    ("asked", "error"),
    [({"limit": "0"}, "query.limit"), ({"limit": "x"}, "query.limit"), ({"sha": "'"}, "query.sha"), ({"repo": "a'b"}, "quotes")],
)
async def test_a_wrong_question_says_where(http: httpx.AsyncClient, asked: dict[str, str], error: str) -> None:
    answer = await http.get("/api/runs", params=asked)
    assert answer.status_code == 400
    assert error in answer.json()["error"]


async def test_a_run_by_any_of_its_names(http: httpx.AsyncClient, standins: Client) -> None:
    run = await begin(standins, "wait")
    seen = await view(http, run.workflow_id)
    assert (seen["status"], seen["run_id"]) == ("running", run.workflow_id)

    async def listed() -> bool:
        return (await http.get(f"/api/runs/{run.sha[:12]}")).status_code == 200

    await until(listed)
    assert (await view(http, f"acme/shop@{run.sha[:10]}"))["run_id"] == run.workflow_id


@pytest.mark.parametrize("ref", ["github/acme/shop/" + "0" * 40 + "/default", "0000ffff0000", "acme/shop@0000ffff"])
@pytest.mark.parametrize("what", ["", "/waiting", "/events", "/logs/build/0"])
async def test_a_run_that_is_not_there(http: httpx.AsyncClient, ref: str, what: str) -> None:
    answer = await http.get(f"/api/runs/{ref}{what}")
    assert answer.status_code == 404
    assert set(answer.json()) == {"error", "remedy"}


@pytest.mark.parametrize("path", ["/api/runs/not-a-run", "/api/rollouts/x", "/api/nothing"])
async def test_a_path_that_is_not_there(http: httpx.AsyncClient, path: str) -> None:
    answer = await http.get(path)
    assert (answer.status_code, answer.json()["error"]) == (404, "Not Found")


async def test_approving_a_run(http: httpx.AsyncClient, standins: Client) -> None:
    run = await begin(standins, "wait")
    waiting = (await http.get(f"/api/runs/{run.workflow_id}/waiting")).json()
    assert [(each["stage"], each["kind"], each["workflow_id"]) for each in waiting] == [("go", "approval", run.workflow_id)]
    answer = await ask(http, f"/api/runs/{run.workflow_id}/approve", stage="go")
    assert (answer.status_code, answer.json()) == (200, {"message": "run: approve go True"})
    again = await ask(http, f"/api/runs/{run.workflow_id}/approve")
    assert (again.status_code, "has ended already" in again.json()["error"]) == (409, True)


async def test_rejecting_is_approving_with_no(http: httpx.AsyncClient, standins: Client) -> None:
    run = await begin(standins, "wait")
    answer = await ask(http, f"/api/runs/{run.workflow_id}/approve", approved=False)
    assert answer.json() == {"message": "run: approve go False"}


async def test_what_a_workflow_refuses_is_told_in_its_words(http: httpx.AsyncClient, standins: Client) -> None:
    run = await begin(standins, "wait")
    denied = await ask(http, f"/api/runs/{run.workflow_id}/approve", actor="mallory")
    assert (denied.status_code, denied.json()["error"]) == (403, "mallory may not approve this")
    two = await begin(standins, "two")
    unclear = await ask(http, f"/api/runs/{two.workflow_id}/approve")
    assert (unclear.status_code, "go, also" in unclear.json()["error"]) == (409, True)


@pytest.mark.parametrize(
    ("what", "body", "message"),
    [
        ("retry", {"stage": "check", "step": 2}, "run: retry check 2"),
        ("retry", {}, "run: retry  None"),
        ("skip", {"stage": "check"}, "run: skip check"),
        ("abort", {}, "run: abort"),
    ],
)
async def test_asking_a_held_run(
    http: httpx.AsyncClient, standins: Client, what: str, body: dict[str, object], message: str
) -> None:
    run = await begin(standins, "hold")
    answer = await ask(http, f"/api/runs/{run.workflow_id}/{what}", **body)
    assert (answer.status_code, answer.json()) == (200, {"message": message})


async def test_a_run_that_has_ended_starts_again(http: httpx.AsyncClient, standins: Client) -> None:
    failed = await begin(standins, "fail")

    async def ended() -> bool:
        return (await view(http, failed.workflow_id))["status"] == "failed"

    await until(ended)
    answer = await ask(http, f"/api/runs/{failed.workflow_id}/retry")
    assert (answer.json()["run_id"], answer.json()["already"]) == (failed.workflow_id, False)
    passed = await begin(standins, "pass")
    refused = await ask(http, f"/api/runs/{passed.workflow_id}/retry")
    assert (refused.status_code, "nothing to retry" in refused.json()["error"]) == (409, True)


@pytest.mark.parametrize(
    ("what", "body", "message"),
    [
        ("approve", {}, "rollout: approve"),
        ("pause", {}, "rollout: pause"),
        ("resume", {}, "rollout: resume"),
        ("promote", {}, "rollout: promote full=False"),
        ("promote", {"full": True}, "rollout: promote full=True"),
        ("abort", {"stage": "ship"}, "rollout: abort"),
    ],
)
async def test_steering_a_rollout_by_its_run_and_by_its_own_name(
    http: httpx.AsyncClient, standins: Client, what: str, body: dict[str, object], message: str
) -> None:
    for named_by_run in (True, False):
        run = await begin(standins, "roll")
        rollout = rollout_id(run.workflow_id)

        async def there(rollout: str = rollout) -> bool:
            return (await http.get(f"/api/rollouts/{rollout}")).status_code == 200

        await until(there)
        path = f"/api/runs/{run.workflow_id}" if named_by_run else f"/api/rollouts/{rollout}"
        answer = await ask(http, f"{path}/{what}", **body)
        assert (answer.status_code, answer.json()) == (200, {"message": message})
        seen = (await http.get(f"/api/rollouts/{rollout}")).json()["view"]
        assert message.removeprefix("rollout: ") in seen["reason"] or seen["status"] == "done"


async def test_a_body_may_be_left_out_but_not_be_wrong(http: httpx.AsyncClient, standins: Client) -> None:
    run = await begin(standins, "wait")
    path = f"/api/runs/{run.workflow_id}"
    missing = await http.post(f"{path}/skip", headers=AUTHORIZED, json=BY)
    assert (missing.status_code, "body.stage" in missing.json()["error"]) == (400, True)
    for wrong in (b"{", b"[]", b"1"):
        answer = await http.post(f"{path}/approve", headers=AUTHORIZED | {"Content-Type": "application/json"}, content=wrong)
        assert answer.status_code == 400, wrong
    assert (await http.post(f"{path}/approve", headers=AUTHORIZED)).json() == {"message": "run: approve go True"}


async def test_asking_what_is_not_there(http: httpx.AsyncClient) -> None:
    nobody = f"github/acme/shop/{'0' * 40}/default"
    for what in ("approve", "abort", "retry", "pause", "promote", "resume"):
        assert (await ask(http, f"/api/runs/{nobody}/{what}")).status_code == 404
    assert (await ask(http, "/api/rollouts/rollout/staging/gone/1/abort")).status_code == 404
    assert (await http.get("/api/rollouts/rollout/staging/gone/1")).status_code == 404


async def test_environments_and_the_way_back(http: httpx.AsyncClient, standins: Client) -> None:
    environment = f"env-{secrets.token_hex(4)}"
    place = f"/api/environments/{environment}/shop/rollback"
    assert (await ask(http, place)).status_code == 404
    await runs.rollback(standins, RollbackRequest(place=Place(environment=environment, service="shop")))

    async def listed() -> bool:
        return bool((await http.get("/api/environments", params={"environment": environment})).json())

    await until(listed)
    [seen] = (await http.get("/api/environments", params={"environment": environment})).json()
    assert (seen["service"], seen["stable"]["id"], [each["id"] for each in seen["history"]]) == ("shop", "two", ["two", "one"])
    ticket = await ask(http, place, to="one")
    assert ticket.json() == {"workflow_id": f"rollout/{environment}/shop/one", "ahead": 1}
    assert (await ask(http, place, to="never")).json()["error"] == "release 'never' has not served here"
    assert (await ask(http, place, window=-1)).status_code == 400


async def test_evidence_of_a_run(http: httpx.AsyncClient, standins: Client, records: Records) -> None:
    run = await begin(standins, "wait")
    ref = run.workflow_id
    finding = Finding(tool="ruff", rule="F401", severity="low", message="unused", path="a.py", line=1, fingerprint="x")
    records.findings.store(ref, "lint", [finding], ["mypy"])
    records.findings.store_unavailable(ref, "audit", "pip-audit", "no network")
    records.tests.store(ref, "unit", [TestCase(suite="s", name="works", status="passed", seconds=0.1)])
    for number, action in enumerate(("run.started", "gate.passed", "gate.refused")):
        evidence = {"stage": "gate", "00": "coverage 91 % of at least 80 %"}
        records.audit.append(Audit(key=f"{ref}-{number}", subject=ref, action=action, actor="ada", evidence=evidence))
    found = (await http.get(f"/api/runs/{ref}/findings")).json()
    assert [(each["rule"], each["line"]) for each in found["findings"]] == [("F401", 1)]
    assert (found["tools"], found["unavailable"]) == (["mypy", "ruff"], {"pip-audit": "no network"})
    assert (await http.get(f"/api/runs/{ref}/findings", params={"stage": "unit"})).json()["findings"] == []
    assert [case["name"] for case in (await http.get(f"/api/runs/{ref}/tests")).json()] == ["works"]
    gates = (await http.get(f"/api/runs/{ref}/gates")).json()
    assert [(each["action"], each["evidence"]["stage"]) for each in gates] == [("gate.passed", "gate"), ("gate.refused", "gate")]
    trail = (await http.get(f"/api/runs/{ref}/audit")).json()
    assert [(each["action"], each["actor"]) for each in trail][:1] == [("run.started", "ada")]
    assert trail[0]["at"] > 1.7e9


async def test_a_trail_has_the_decisions_on_rollouts(http: httpx.AsyncClient, standins: Client, records: Records) -> None:
    run = await begin(standins, "roll")
    ref, rollout = run.workflow_id, rollout_id(run.workflow_id)

    async def rolling() -> bool:
        return any(stage["rollout_id"] == rollout for stage in (await http.get(f"/api/runs/{ref}")).json()["stages"])

    await until(rolling)
    mine = [(ref, "run.started"), (rollout, "rollout.turned-back"), (f"{rollout}0", "rollout.paused"), (ref, "run.failed")]
    for number, (writer, action) in enumerate(mine):
        subject = ref if writer == ref else "production/shop"
        entry = Audit(key=f"{writer}:{ref}:{number}", subject=subject, action=action, actor="ada", reason="wrong commit")
        records.audit.append(entry)
    trail = (await http.get(f"/api/runs/{ref}/audit")).json()
    assert [each["action"] for each in trail] == ["run.started", "rollout.turned-back", "run.failed"]
    assert trail[1]["reason"] == "wrong commit"


async def test_without_records_there_is_no_evidence(http: httpx.AsyncClient, standins: Client, settings: Settings) -> None:
    run = await begin(standins, "wait")
    answer = await http.get(f"/api/runs/{run.workflow_id}/tests")
    assert (answer.status_code, "no records" in answer.json()["error"]) == (404, True)
    assert not settings.layout.database.exists()


async def test_a_run_that_temporal_has_forgotten(http: httpx.AsyncClient, records: Records) -> None:
    run = request("old")
    shared = run.model_dump(include={"repo", "branch", "sha", "pipeline", "title", "actor"})
    records.runs.upsert(RunRecord(run_id=run.workflow_id, execution="e", status=Status.passed, started_at=1.0, **shared))
    seen = await view(http, run.workflow_id)
    assert (seen["status"], seen["stages"]) == ("passed", [])


def look(at: float, requests: float, errors: float = 0.0) -> dict[str, object]:
    counters = Counters(
        process=1.0,
        codes={"200": requests - errors, "500": errors},
        buckets={"0.1": requests, "+Inf": requests},
        seconds=requests,
    )
    return {**counters.model_dump(exclude={"at"}), "at": at}


async def test_what_was_measured_of_a_rollout(settings: Settings, records: Records) -> None:
    place = release("two").place.key
    for number in range(11):
        at = 1000.0 + number
        records.samples.store(place, "two", at, look(at, 10.0 * number, 2.0 * number))
        records.samples.store(place, "one", at, look(at, 40.0 * number))
    seen = RolloutView(
        workflow_id="rollout/staging/shop/1", strategy="canary", candidate=release("two"), stable_id="one", status="done",
        intent="advance", weights=[WeightPoint(at=1000.0, weight=20)],
        verdicts=[VerdictPoint(at=1008.0, verdict=Verdict(outcome="pass"))],
    )  # fmt: skip
    app = create_app(settings)
    series = await rollouts.measured(app.state.site, seen)
    assert set(series) == {"stable", "candidate"}
    assert sum(point.requests for point in series["candidate"]) == pytest.approx(100)
    assert {round(point.error_rate or 0.0, 6) for point in series["candidate"]} == {0.2}
    assert {round(point.rate or 0.0, 6) for point in series["stable"]} == {40.0}
    assert all(point.p95 is not None and 0 < point.p95 <= 0.1 for point in series["stable"])
    assert window(seen, 5000.0) == (970.0, 1038.0)
    assert window(seen.model_copy(update={"status": "paused"}), 1020.0) == (970.0, 1020.0)
    assert window(seen.model_copy(update={"weights": []}), 1020.0) == (990.0, 1020.0)


async def test_a_rollout_without_samples_has_an_empty_chart(http: httpx.AsyncClient, standins: Client) -> None:
    run = await begin(standins, "roll")
    rollout = rollout_id(run.workflow_id)

    async def there() -> bool:
        return (await http.get(f"/api/rollouts/{rollout}")).status_code == 200

    await until(there)
    report = (await http.get(f"/api/rollouts/{rollout}")).json()
    assert (report["series"], report["view"]["weight"]) == ({}, 20)


async def test_everything_is_503_without_temporal(tmp_path: Path) -> None:
    async with serving(create_app(settings_for(tmp_path, f"127.0.0.1:{free_port()}"))) as http:
        listed = await http.get("/api/runs")
        asked = await ask(http, f"/api/runs/github/a/b/{'0' * 40}/default/abort")
    for answer in (listed, asked):
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
        assert "switchyard up" in answer.json()["remedy"]


async def test_the_schema_names_every_way_in(http: httpx.AsyncClient) -> None:
    paths = (await http.get("/api/openapi.json")).json()["paths"]
    assert "/api/runs/{ref}/approve" in paths
    assert "/webhooks/github" in paths


async def test_a_mistake_of_ours_shows_nobody_its_traceback(settings: Settings) -> None:
    app = create_app(settings)

    @app.get("/api/broken")
    async def broken() -> None:
        raise ZeroDivisionError("secret words")

    async with serving(app) as http:
        answer = await http.get("/api/broken")
    assert (answer.status_code, set(answer.json())) == (500, {"error", "remedy"})
    assert "secret" not in answer.text
