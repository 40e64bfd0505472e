"""One measurement becomes a verdict: by thresholds, and by the statistical judge where it was asked. Fails closed.

Without enough requests, points or data nothing passes, and a metric in error is never left out; pipelines.analysis.strict says
where that is stricter than Kayenta. The order is that of Argo Rollouts' measurements: failed before error before inconclusive
before passed, each metric for itself.
"""

from __future__ import annotations

import math

from pipelines.analysis.strict import Judgement, judge_strictly
from pipelines.measurement import Measured, TrackMeasured
from pipelines.messages.deploy import MeasureInput, Verdict
from pipelines.spec.analysis import AnalysisSpec, MetricSpec


def assess(wanted: MeasureInput, measured: Measured) -> Verdict:
    """The verdict on the candidate in one window; its outcome is the worst of the thresholds' and the judge's."""
    candidate = measured.candidate
    outcomes = {metric.name: _outcome(metric, candidate, wanted.analysis) for metric in wanted.analysis.metrics}
    deciding = [outcomes[metric.name] for metric in wanted.analysis.metrics if not metric.dry_run]
    judged = _judged(wanted, measured)
    if judged is not None:
        deciding.append((judged.outcome, judged.reason))
    outcome = _worst([outcome for outcome, _ in deciding])
    reasons = dict.fromkeys(reason for each, reason in deciding if each == outcome or outcome == "pass")
    return Verdict.model_validate(
        {
            "outcome": outcome,
            "reason": "; ".join(reasons),
            "values": candidate.values,
            "outcomes": {name: each for name, (each, _) in outcomes.items()},
            "requests": _requests(measured),
            "score": judged.score if judged else None,
            "judged": judged.outcome if judged else None,
            "classifications": judged.classifications if judged else {},
        }
    )


def _judged(wanted: MeasureInput, measured: Measured) -> Judgement | None:
    """None where the judge was not asked, or the analysis has none."""
    judge = wanted.analysis.judge
    if judge is None or not wanted.judge:
        return None
    return judge_strictly(wanted.analysis, judge, measured.candidate, measured.stable)


def _requests(measured: Measured) -> dict[str, int]:
    stable = {"stable": measured.stable.requests} if measured.stable else {}
    return {"candidate": measured.candidate.requests, **stable}


def _worst(outcomes: list[str]) -> str:
    for outcome in ("fail", "error", "inconclusive"):
        if outcome in outcomes:
            return outcome
    return "pass" if "pass" in outcomes or "measured" in outcomes else "inconclusive"


def _outcome(metric: MetricSpec, candidate: TrackMeasured, analysis: AnalysisSpec) -> tuple[str, str]:
    """Outcome and reason of one metric."""
    if candidate.requests < analysis.min_requests:
        return "inconclusive", f"only {candidate.requests} requests reached the candidate, {analysis.min_requests} are needed"
    value = candidate.values.get(metric.name)
    if value is None or math.isnan(value):
        return "inconclusive", f"{metric.name} has no data"
    return _compared(metric, value)


def _compared(metric: MetricSpec, value: float) -> tuple[str, str]:
    if metric.success_min is not None and value < metric.success_min:
        return "fail", f"{metric.name} is {value:.4g}, less than {metric.success_min:g}"
    if metric.success_max is not None and value > metric.success_max:
        return "fail", f"{metric.name} is {value:.4g}, more than {metric.success_max:g}"
    if metric.success_min is None and metric.success_max is None:
        return "measured", f"{metric.name} is {value:.4g}"
    return "pass", f"{metric.name} is {value:.4g}"
