"""The story, under live traffic: a first release, a good canary that is approved, and a bad one that is turned back."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pipelines.errors import SwitchyardError, Unavailable
from pipelines.messages.common import Status
from pipelines.messages.runs import RunView
from pipelines.settings import Settings
from starter import exit_codes
from starter.client import connect
from starter.demo.checks import audit_whole, judge, share
from starter.demo.follow import Follower
from starter.demo.hook import NOBODY, push
from starter.demo.place import Place, end, prepare
from starter.demo.repository import Repository
from starter.demo.told import Check, RunOutcome, Summary, Teller
from starter.demo.traffic import Traffic
from starter.stack import stack

ENVIRONMENT = "production"
SERVICE = "quotes"
RUN_SECONDS = 300.0
"""A run of the demo takes about 20 seconds; a machine that needs more than this has a broken step."""
PERSON_SECONDS = 3600.0
LAST_LINES = 15
AT_WEIGHT = 4.0
"""Seconds of traffic from which the canary's share is told."""


def run_demo(settings: Settings, *, interactive: bool, as_json: bool, keep: bool) -> int:
    """Exit status: 0 when everything was as promised, 1 when something was not, 130 after Ctrl-C.

    `keep`: the stack goes on afterwards, so that people can look at it. Raises SwitchyardError when the stack cannot be started.
    """
    teller = Teller(quiet=as_json)
    teller.title("The stack")
    place = prepare(settings)
    summary = Summary(dashboard=place.settings.web_url, temporal_ui=place.settings.ui_url)
    try:
        stack.up(place.settings, tell=teller.line)
        asyncio.run(Demo(place, teller, summary, interactive).tell())
    except SwitchyardError as error:
        summary.reason = str(error)
    except KeyboardInterrupt:
        teller.line("interrupted")
        end(place, teller.line)
        return exit_codes.INTERRUPTED
    _conclude(place, teller, summary, keep)
    return exit_codes.OK if summary.ok else exit_codes.FAILED


def _conclude(place: Place, teller: Teller, summary: Summary, keep: bool) -> None:
    broken = [check.what for check in summary.checks if not check.ok]
    summary.ok = not broken and not summary.reason
    summary.reason = summary.reason or ", ".join(broken)
    ways = [("Dashboard", summary.dashboard), ("Temporal", summary.temporal_ui), ("Service", summary.service)]
    if keep:
        ways += [("Look", place.command("runs")), ("End it", place.command("down", "--releases"))]
    else:
        end(place)
        ways = [("State", f"{place.folder} (stopped; the logs are there)")]
    summary.seconds = round(teller.seconds, 1)
    teller.summary(summary, [way for way in ways if way[1]])


class Demo:
    """Tells the story and fills in the summary."""

    def __init__(self, place: Place, teller: Teller, summary: Summary, interactive: bool) -> None:
        self._place, self._teller, self._summary, self._interactive = place, teller, summary, interactive
        self._repository = Repository(place.folder / "quotes")
        self._traffic = Traffic(f"http://127.0.0.1:{place.settings.ports.proxy}/quote", f"{SERVICE}.{ENVIRONMENT}.localhost")
        self._head = NOBODY

    async def tell(self) -> None:
        """Raises SwitchyardError when a step is broken."""
        self._client = await connect(self._place.settings)
        ports = self._place.settings.ports
        self._summary.service = f"http://{SERVICE}.{ENVIRONMENT}.localhost:{ports.proxy}/quote?symbol=ACME"
        self._teller.title("1. The first release: a signed webhook starts a run of twelve stages")
        first = await self._first()
        self._teller.title(f"2. A good commit, under {self._traffic.rate:g} requests a second: a canary at 20 %")
        async with self._driving():
            good = await self._good()
            self._teller.title("3. A bad commit, whose tests pass")
            await self._bad(stable=good)
        self._count()
        self._summary.checks += [judge(self._traffic, first, good), await audit_whole(self._place)]

    async def _first(self) -> str:
        begun = time.monotonic()
        run = await self._push(self._repository.first(), "Quotes: the price of a symbol")
        view = await run.until(lambda _: False, RUN_SECONDS)
        self._outcome(run, view, begun)
        await self._expect(view, Status.passed)
        return view.version

    async def _good(self) -> str:
        begun = time.monotonic()
        run = await self._push(self._repository.good(), "One more symbol")
        view = await run.until(_waits_for_people, RUN_SECONDS)
        if not _waits_for_people(run):
            await self._expect(view, Status.passed)
            raise Unavailable("the canary did not wait for an approval")
        await self._at_twenty(view.version)
        await self._approve(run)
        view = await run.until(lambda _: False, RUN_SECONDS)
        self._outcome(run, view, begun)
        await self._expect(view, Status.passed)
        return view.version

    async def _bad(self, stable: str) -> None:
        begun = time.monotonic()
        run = await self._push(self._repository.bad(), "Keep every order's price")
        view = await run.until(lambda _: False, RUN_SECONDS)
        self._outcome(run, view, begun)
        turned_back = run.rollout is not None and run.rollout.result == "rolled-back"
        reason = run.rollout.reason if run.rollout else view.reason
        self._check("the analysis turned the bad release back", turned_back and view.status == Status.failed, reason)
        before = self._traffic.snapshot()
        await asyncio.sleep(AT_WEIGHT / 2)
        after = self._traffic.snapshot() - before
        self._check(f"all traffic is on {stable} again", set(after) == {stable}, f"{sum(after.values())} requests")

    async def _push(self, sha: str, message: str) -> Follower:
        run_id = await push(self._place, self._repository, sha, message, self._head)
        self._head = sha
        self._teller.line(f"webhook accepted: {run_id}")
        return Follower(self._client, run_id, self._teller, ENVIRONMENT)

    async def _at_twenty(self, version: str) -> None:
        before = self._traffic.snapshot()
        await asyncio.sleep(AT_WEIGHT)
        self._summary.checks.append(share(self._traffic.snapshot() - before, version, 0.2))
        self._teller.line(f"  {self._summary.checks[-1].found}")

    async def _approve(self, run: Follower) -> None:
        self._teller.line(f"  to let it go on:  {self._place.command('approve', run.run_id)}", "bold")
        if self._interactive:
            await run.until(lambda each: not _waits_for_people(each), PERSON_SECONDS)
            return
        done = await self._place.run("approve", run.run_id, "--by", "demo", "--reason", "20 % looks well")
        if done.returncode:
            raise Unavailable(f"approve ended with {done.returncode}: {done.stderr.strip()}")
        self._teller.line(f"  {done.stdout.strip()}")

    async def _expect(self, view: RunView, status: Status) -> None:
        if view.status == status:
            return
        broken = next((stage for stage in view.stages if stage.status == Status.failed), None)
        where = f"stage {broken.name}: {broken.reason}" if broken else view.reason
        words = ["logs", view.run_id, *(["--stage", broken.name] if broken else [])]
        log = (await self._place.run(*words)).stdout.splitlines()[-LAST_LINES:]
        raise Unavailable("\n".join([f"the run {view.status.value}: {where}", *log]), f"More: {self._place.command(*words)}")

    def _check(self, what: str, ok: bool, found: str) -> None:
        self._summary.checks.append(Check(what=what, ok=ok, found=found))

    def _outcome(self, run: Follower, view: RunView, begun: float) -> None:
        rollout = run.rollout
        self._summary.runs.append(
            RunOutcome(
                run_id=view.run_id,
                commit=view.run.sha,
                version=view.version,
                status=view.status.value,
                rollout=(rollout.result or rollout.status) if rollout else "",
                reason=rollout.reason if rollout else view.reason,
                weights=[point.weight for point in rollout.weights] if rollout else [],
                seconds=round(time.monotonic() - begun, 1),
            )
        )

    def _count(self) -> None:
        self._summary.sent = self._traffic.sent
        self._summary.answered = dict(self._traffic.answered)
        self._summary.errors = dict(self._traffic.errors)
        self._summary.lost = len(self._traffic.lost)
        self._summary.lost_why = [f"{count} × {why}" for why, count in Counter(self._traffic.lost).most_common(10)]

    @asynccontextmanager
    async def _driving(self) -> AsyncIterator[None]:
        """Traffic while the block runs."""
        stop = asyncio.Event()
        driving = asyncio.create_task(self._traffic.run(stop))
        try:
            yield
        finally:
            stop.set()
            await driving


def _waits_for_people(run: Follower) -> bool:
    return run.rollout is not None and run.rollout.status == "paused" and not run.rollout.result
