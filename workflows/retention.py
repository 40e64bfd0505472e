"""RetentionWorkflow: run by a Temporal schedule; removes what nobody needs any more."""

from __future__ import annotations

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from pipelines.messages.quality import RetentionInput, RetentionResult
    from pipelines.ports import SWEEP_ARTIFACTS
    from workflows.calls import call


@workflow.defn(name="RetentionWorkflow")
class RetentionWorkflow:
    """Never removes what an environment runs or could return to; see pipelines/retention.py."""

    @workflow.run
    async def run(self, policy: RetentionInput) -> RetentionResult:
        result = await call(SWEEP_ARTIFACTS, policy, f"keep the last {policy.keep_last}, sweep the rest")
        workflow.set_current_details(f"Removed {result.count}, kept {result.kept}, freed {result.freed} bytes.")
        return result
