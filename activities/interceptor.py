"""What stands around every activity: our errors become Temporal's, by class name, with whether a retry helps."""

from __future__ import annotations

import asyncio
from typing import Any

from temporalio.exceptions import ApplicationError, CancelledError, FailureError
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from pipelines.errors import SwitchyardError


class Errors(Interceptor):
    """Translates SwitchyardError to ApplicationError(type=class name); other exceptions pass, and are retried by policy."""

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        return _Translate(next)


class _Translate(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        try:
            return await super().execute_activity(input)
        except (FailureError, CancelledError, asyncio.CancelledError):
            raise
        except SwitchyardError as error:
            raise ApplicationError(str(error), type=type(error).__name__, non_retryable=not error.retryable) from None
