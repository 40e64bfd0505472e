"""A release can start, and its checks check something."""

from __future__ import annotations

from collections.abc import Iterator

from pipelines.spec import BlueGreenSpec, CheckSpec, Pipeline, RollingSpec, Stage
from pipelines.spec.complaint import Complaint, Path


def releases(pipeline: Pipeline) -> Iterator[Complaint]:
    for name, stage in pipeline.stages.items():
        for complaint in (*_process(stage), *_rolling(stage), *_checks(stage)):
            yield complaint.under(("stages", name))


def _process(stage: Stage) -> Iterator[Complaint]:
    if stage.release is None:
        return
    process = stage.release.process
    if process is None:
        if stage.release.target == "local":
            remedy = "Add 'process: {command: ...}', which listens on $HOST:$PORT"
            yield Complaint(("release",), "a release on the local target needs a 'process' to start", remedy, True)
        return
    if not process.command.strip():
        yield Complaint(("release", "process", "command"), "the command is empty", "Write the command that starts the service")
    if not process.readiness_path.startswith("/"):
        where = ("release", "process", "readiness_path")
        yield Complaint(where, f"'{process.readiness_path}' is no path of a URL", f"Write '/{process.readiness_path}'")


def _rolling(stage: Stage) -> Iterator[Complaint]:
    rollout, release = stage.rollout, stage.release
    if isinstance(rollout, RollingSpec) and release and rollout.max_unavailable > release.replicas:
        message = f"maxUnavailable {rollout.max_unavailable} is more than the release's {release.replicas} replicas"
        yield Complaint(("rollout", "maxUnavailable"), message, "Lower it, or raise 'replicas'")


def _checks(stage: Stage) -> Iterator[Complaint]:
    yield from _each(("checks",), stage.checks)
    if isinstance(stage.rollout, BlueGreenSpec):
        yield from _each(("rollout", "prePromotionChecks"), stage.rollout.pre_promotion_checks)
        yield from _each(("rollout", "postPromotionChecks"), stage.rollout.post_promotion_checks)


def _each(path: Path, checks: list[CheckSpec]) -> Iterator[Complaint]:
    for index, check in enumerate(checks):
        if check.path is None and check.run is None:
            yield Complaint((*path, index), "the check has neither 'path' nor 'run'", "Add 'path: /', or a command as 'run'")
        if check.path is not None and not check.path.startswith("/"):
            yield Complaint((*path, index, "path"), f"'{check.path}' is no path of a URL", f"Write '/{check.path}'")
