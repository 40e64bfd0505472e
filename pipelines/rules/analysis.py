"""An analysis measures something, and each of its metrics can fail."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipelines.spec import AnalysisSpec, MetricSpec, Pipeline
from pipelines.spec.complaint import Complaint
from pipelines.template import did_you_mean

QUERY_NAMES = ("service", "environment", "release", "track", "window")
"""What ${…} may name in a metric's query."""
_PLACE = re.compile(r"\$\$|\$\{([^{}]*)\}?|\$([A-Za-z_]\w*)?")


def analyses(pipeline: Pipeline) -> Iterator[Complaint]:
    for name, stage in pipeline.stages.items():
        analysis = stage.rollout.analysis if stage.rollout else None
        if stage.rollout is not None and analysis is not None:
            for complaint in (*_metrics(analysis), *_judge(analysis), *_compared(analysis, stage.rollout.strategy)):
                yield complaint.under(("stages", name, "rollout", "analysis"))


def _metrics(analysis: AnalysisSpec) -> Iterator[Complaint]:
    names: list[str] = []
    for index, metric in enumerate(analysis.metrics):
        if metric.name in names:
            yield Complaint(("metrics", index, "name"), f"there are two metrics '{metric.name}'", "Rename one of them")
        names.append(metric.name)
        for complaint in (*_source(metric), *_thresholds(metric, judged=analysis.judge is not None)):
            yield complaint.under(("metrics", index))


def _source(metric: MetricSpec) -> Iterator[Complaint]:
    if metric.builtin is None and metric.query is None:
        remedy = "Add 'builtin: success-rate' or a Prometheus 'query'"
        yield Complaint((), f"the metric '{metric.name}' has neither 'builtin' nor 'query'", remedy)
    if metric.builtin is not None and metric.query is not None:
        yield Complaint(("query",), f"the metric '{metric.name}' has both 'builtin' and 'query'", "Remove one of them", True)
    if metric.query is not None:
        if metric.builtin is None and metric.provider != "prometheus":
            yield Complaint(("query",), "a query needs Prometheus", "Add 'provider: prometheus'", True)
        yield from _query(metric.query)


def _query(query: str) -> Iterator[Complaint]:
    for match in _PLACE.finditer(query):
        name = match.group(1) if match.group(1) is not None else match.group(2)
        if match.group(0) == "$$" or (name in QUERY_NAMES and (match.group(2) or match.group(0).endswith("}"))):
            continue
        remedy = did_you_mean(name or "", list(QUERY_NAMES)) + "; $$ is a dollar sign"
        yield Complaint(("query",), f"'{match.group(0)}' cannot be filled in in a query", remedy)


def _thresholds(metric: MetricSpec, *, judged: bool) -> Iterator[Complaint]:
    low, high = metric.success_min, metric.success_max
    if low is not None and high is not None and low > high:
        message = f"successMin {low:g} is more than successMax {high:g}, so the metric could never pass"
        yield Complaint(("successMin",), message, "Swap them")
    if low is None and high is None and not judged:
        remedy = "Add 'successMin' or 'successMax', or a 'judge' that compares with the stable release"
        yield Complaint((), f"the metric '{metric.name}' has no threshold, so it could never fail", remedy)


def _judge(analysis: AnalysisSpec) -> Iterator[Complaint]:
    judge = analysis.judge
    if judge is None:
        return
    if judge.marginal_score > judge.pass_score:
        message = f"marginalScore {judge.marginal_score:g} is more than passScore {judge.pass_score:g}"
        yield Complaint(("judge", "marginalScore"), message, "Lower it")
    groups = list(dict.fromkeys(metric.group for metric in analysis.metrics))
    for group in judge.group_weights:
        if group not in groups:
            message = f"no metric is in the group '{group}'"
            yield Complaint(("judge", "groupWeights", group), message, did_you_mean(group, groups), True)
        if judge.group_weights[group] < 0:
            yield Complaint(("judge", "groupWeights", group), f"the weight of '{group}' is negative", "Use 0 to 100")
    total = sum(judge.group_weights.values())
    if judge.group_weights and abs(total - 100) > 1e-6:
        yield Complaint(("judge", "groupWeights"), f"the groups' weights sum to {total:g}, not 100", "Correct them", True)


def _compared(analysis: AnalysisSpec, strategy: str) -> Iterator[Complaint]:
    """The judge compares what both releases do in the same time with different shares of the traffic."""
    if analysis.judge is None:
        return
    if strategy != "canary":
        message = f"with the strategy {strategy} the stable release has no traffic that the judge could compare with"
        yield Complaint(("judge",), message, "Use the strategy canary, or thresholds instead of 'judge'", True)
    for index, metric in enumerate(analysis.metrics):
        if metric.builtin == "request-rate" and not metric.dry_run:
            message = "the request rate differs with a release's share of the traffic, so the judge always finds it changed"
            yield Complaint(("metrics", index, "builtin"), message, "Add 'dryRun: true' or remove the metric")
