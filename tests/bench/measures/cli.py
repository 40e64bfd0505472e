"""How long a command takes from the shell's point of view."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Sequence

from starter.stack.part import environment
from tests.bench.figures import Figure, differences
from tests.bench.plan import Plan
from tests.bench.stack import ROOT, Stack, all_of, running

GROUP = "cli"
IMPORT = "Above an interpreter that does nothing, which is measured beside it."
ASKING = "The whole process, from its start to its end, with twenty runs to list."


def measure(plan: Plan) -> list[Figure]:
    with running() as stack:
        asyncio.run(_fill(stack))
        env = environment(stack.settings) | {"PYTHONPATH": str(ROOT)}
        run_id = asyncio.run(_any(stack))
        pairs = [(_timed(["-c", "pass"], env), _timed(["-c", "import starter.cli"], env)) for _ in range(plan.repetitions)]
        asked = {
            "switchyard runs": ["-m", "starter.cli", "runs"],
            "switchyard runs --json": ["-m", "starter.cli", "runs", "--json"],
            "switchyard show RUN": ["-m", "starter.cli", "show", run_id],
        }
        times = {name: [_timed(command, env) for _ in range(plan.repetitions)] for name, command in asked.items()}
    return [
        Figure(GROUP, "importing the command line", "ms", differences(pairs), note=IMPORT),
        *(Figure(GROUP, name, "ms", each, goal=500, note=ASKING) for name, each in times.items()),
    ]


async def _fill(stack: Stack) -> None:
    await all_of(await stack.client(), [stack.commits.request("noop1") for _ in range(20)], 10)


async def _any(stack: Stack) -> str:
    client = await stack.client()
    async for execution in client.list_workflows("WorkflowType = 'PipelineWorkflow'", page_size=1):
        return execution.id
    raise LookupError("there is no run")


def _timed(arguments: Sequence[str], env: dict[str, str]) -> float:
    """Milliseconds of one Python process. Raises CalledProcessError when it fails."""
    begun = time.perf_counter()
    subprocess.run([sys.executable, *arguments], env=env, cwd=ROOT, check=True, capture_output=True)
    return (time.perf_counter() - begun) * 1000
