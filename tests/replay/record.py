"""Records the golden histories: python -m tests.replay.record [name…]; without names, all of them.

Each scenario is played by the real workflows with faked activities on a Temporal server of its own. Do this when a scenario is
new. When a workflow changes, its old histories must go on to replay: patch the change (workflow.patched) instead.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from tests.replay import histories
from tests.replay.scenarios import SCENARIOS
from tests.support.fakes import Stage, serving
from tests.support.temporal import running_server


async def record(stage: Stage, name: str) -> Path:
    """Play one scenario and keep its history. The world's token is the scenario's name, so that it tells nothing else."""
    handle = await SCENARIOS[name](stage.new(token(name)))
    found = stage.client.get_workflow_handle(handle.id, run_id=handle.run_id or handle.first_execution_run_id)
    return histories.write(name, await found.fetch_history())


def token(name: str) -> str:
    """Fits into a service's name, which is a DNS label."""
    return name.replace("_", "-")[:40].strip("-")


async def main(names: Sequence[str]) -> int:
    unknown = [name for name in names if name not in SCENARIOS]
    if unknown:
        print(f"unknown: {', '.join(unknown)}; there are {', '.join(sorted(SCENARIOS))}", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as folder, running_server(Path(folder)) as server:
        client = await Client.connect(server.address, data_converter=pydantic_data_converter, identity="recorder")
        async with serving(client) as stage:
            for name in names or sorted(SCENARIOS):
                print(f"{name}: {(await record(stage, name)).stat().st_size} bytes", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1:])))
