"""Workflows that call one delivery activity each, as the real ones do. Apart from the tests: the sandbox imports this file."""

from __future__ import annotations

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from pipelines.messages.deploy import CheckInput, CheckOutcome, EnsureInput, Release, ReleaseStatus, Routed, RouteInput
    from pipelines.ports import ENSURE_RELEASE, ROUTE, RUN_CHECKS, WATCH_RELEASE
    from pipelines.spec import CheckSpec
    from workflows.calls import call


@workflow.defn(name="EnsureOnce")
class EnsureOnce:
    @workflow.run
    async def run(self, wanted: EnsureInput) -> ReleaseStatus:
        return await call(ENSURE_RELEASE, wanted, "ensure", queue=workflow.info().task_queue)


@workflow.defn(name="WatchOnce")
class WatchOnce:
    @workflow.run
    async def run(self, release: Release) -> ReleaseStatus:
        return await call(WATCH_RELEASE, release, "watch", queue=workflow.info().task_queue)


@workflow.defn(name="RouteAndCheck")
class RouteAndCheck:
    @workflow.run
    async def run(self, wanted: RouteInput) -> CheckOutcome:
        queue = workflow.info().task_queue
        routed: Routed = await call(ROUTE, wanted, "route", queue=queue)
        check = CheckInput(place=wanted.place, checks=[CheckSpec(path="/healthz")], address=routed.address)
        return await call(RUN_CHECKS, check, "check", queue=queue)
