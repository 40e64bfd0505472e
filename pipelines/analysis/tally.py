"""Many measurements become one decision, as an AnalysisRun of Argo Rollouts adds them up. Pure, and light enough for workflows.

Source: `assessMetricStatus`, `assessMetricFailureInconclusiveOrError` and `assessRunStatus` in analysis/analysis.go of
argoproj/argo-rollouts (Apache-2.0), written anew here. The same: every metric has its own counters; more than `failureLimit`
failed, `inconclusiveLimit` inconclusive or `consecutiveErrorLimit` errors in a row decide at once; any other outcome ends a row
of errors; an error does not count towards `count`; the worst metric decides (fail, then error, then inconclusive); a `dryRun`
metric is counted and decides nothing; what is decided stays decided.

Different, because a rollout must never pass on what nobody has seen:

- An inconclusive measurement does not count towards `count`. With Argo Rollouts a run whose measurements were all inconclusive,
  but no more of them than its limit, is successful; here it is measured again until the limit is passed.
- A metric that only failed, if within its limit, does not pass when `count` is reached: it needs one measurement that passed.
- With a statistical judge the analysis passes only when the judge has said pass. A judge's 'fail' decides at once, its
  'inconclusive' and 'error' have the strictest limits of the metrics.
- A metric that a verdict is silent about is an error, not a success; so is a judge that is silent when its turn has come. A
  verdict without outcomes by metric speaks for all of them and for the judge.
- `error` and `inconclusive` are decisions of their own and neither is a pass: the rollout pauses and asks people.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from pipelines.messages.common import Message
from pipelines.messages.deploy import Verdict
from pipelines.spec.analysis import AnalysisSpec, MetricSpec

Decision = Literal["continue", "pass", "fail", "inconclusive", "error"]

_JUDGE = "(judge)"
_WHOLE = "(measurement)"
_WORST_FIRST: tuple[Decision, ...] = ("fail", "error", "inconclusive")


class Count(Message):
    """Measurements of one metric. `passed` includes those of a metric without thresholds, which the judge looks at."""

    passed: int = 0
    failed: int = 0
    inconclusive: int = 0
    errors: int = 0
    consecutive_errors: int = 0

    @property
    def counted(self) -> int:
        """Those that count towards `count`."""
        return self.passed + self.failed

    def add(self, outcome: str) -> Count:
        """`outcome`: pass, measured, fail, inconclusive; whatever else is an error."""
        if outcome in ("pass", "measured"):
            return self._with(passed=self.passed + 1)
        if outcome == "fail":
            return self._with(failed=self.failed + 1)
        if outcome == "inconclusive":
            return self._with(inconclusive=self.inconclusive + 1)
        return self._with(errors=self.errors + 1, consecutive_errors=self.consecutive_errors + 1)

    def _with(self, consecutive_errors: int = 0, **changed: int) -> Count:
        return self.model_copy(update={"consecutive_errors": consecutive_errors, **changed})


class Limits(Message):
    """How often a metric may do what without deciding the analysis."""

    failure: int = 0
    inconclusive: int = 3
    consecutive_error: int = 4

    def passed_by(self, count: Count) -> tuple[Decision, str] | None:
        """What a metric has decided, with the limit that it went over."""
        if count.consecutive_errors > self.consecutive_error:
            return "error", _over(
                "could not be measured", count.consecutive_errors, "consecutiveErrorLimit", self.consecutive_error
            )
        if count.inconclusive > self.inconclusive:
            return "inconclusive", _over("was inconclusive", count.inconclusive, "inconclusiveLimit", self.inconclusive)
        if count.failed > self.failure:
            return "fail", _over("failed", count.failed, "failureLimit", self.failure)
        return None


class Tally(Message):
    """What the measurements so far amount to. Immutable: `add` gives the next one. `counts` are by metric, dry-run ones too."""

    counts: dict[str, Count] = Field(default_factory=dict)
    measured: int = Field(0, description="measurements that count towards `count`, of the metric that has the fewest")
    decision: Decision = "continue"
    reason: str = "nothing has been measured yet"

    def add(self, verdict: Verdict, spec: AnalysisSpec) -> Tally:
        """The tally with one more measurement; unchanged once it is decided."""
        if self.decision != "continue":
            return self
        counts = dict(self.counts)
        for name, outcome in _outcomes(verdict, spec, last=self.measured + 1 >= spec.count).items():
            counts[name] = counts.get(name, Count()).add(outcome)
        limits = _limits(spec)
        measured = min(counts[name].counted for name in limits if name != _JUDGE)
        decision, reason = _decide(counts, limits, verdict) or _progress(counts, limits, measured, spec)
        return Tally(counts=counts, measured=measured, decision=decision, reason=reason)


def _outcomes(verdict: Verdict, spec: AnalysisSpec, last: bool) -> dict[str, str]:
    """What one measurement says about each metric; the judge and a measurement without a deciding metric are rows too."""
    silence = "error" if verdict.outcomes else verdict.outcome
    outcomes = {metric.name: verdict.outcomes.get(metric.name, silence) for metric in spec.metrics}
    if not _deciding(spec):
        outcomes[_WHOLE] = verdict.outcome
    if spec.judge is not None and (last or verdict.judged is not None):
        outcomes[_JUDGE] = verdict.judged or silence
    return outcomes


def _limits(spec: AnalysisSpec) -> dict[str, Limits]:
    """By the rows that decide."""
    limits = {metric.name: _of(metric) for metric in _deciding(spec)} or {_WHOLE: Limits()}
    if spec.judge is not None:
        limits[_JUDGE] = Limits(
            inconclusive=min(limit.inconclusive for limit in limits.values()),
            consecutive_error=min(limit.consecutive_error for limit in limits.values()),
        )
    return limits


def _deciding(spec: AnalysisSpec) -> list[MetricSpec]:
    return [metric for metric in spec.metrics if not metric.dry_run]


def _of(metric: MetricSpec) -> Limits:
    return Limits(
        failure=metric.failure_limit,
        inconclusive=metric.inconclusive_limit,
        consecutive_error=metric.consecutive_error_limit,
    )


def _decide(counts: dict[str, Count], limits: dict[str, Limits], verdict: Verdict) -> tuple[Decision, str] | None:
    """The worst that a row over its limit has decided."""
    found = [(name, over) for name, limit in limits.items() if (over := limit.passed_by(counts.get(name, Count())))]
    if not found:
        return None
    name, (decision, words) = min(found, key=lambda one: _WORST_FIRST.index(one[1][0]))
    last = f": {verdict.reason}" if verdict.reason else ""
    return decision, f"{_called(name)} {words}{last}"


def _progress(counts: dict[str, Count], limits: dict[str, Limits], measured: int, spec: AnalysisSpec) -> tuple[Decision, str]:
    """No limit is passed: either all that is needed has been seen, or it goes on."""
    without = [name for name in limits if not counts.get(name, Count()).passed]
    if measured >= spec.count and not without:
        return "pass", f"{measured} of {spec.count} measurements made, no limit passed"
    if measured >= spec.count:
        return "continue", f"{', '.join(map(_called, without))} has not passed yet"
    return "continue", f"{measured} of {spec.count} measurements made"


def _over(what: str, times: int, limit: str, most: int) -> str:
    return f"{what} {times} time{'s' if times != 1 else ''}, more than {limit} {most}"


def _called(name: str) -> str:
    words = {_JUDGE: "the statistical judge", _WHOLE: "the measurement"}
    return words.get(name, f"metric '{name}'")
