"""A worker in a process of its own: python -m tests.support.victim ROOT STEP_JSON PAUSE_AT PAUSED_FILE."""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path
from typing import Any, NoReturn

from activities.steps import folder, launcher
from pipelines.messages.build import StepInput
from tests.support.steps import Host


def main(root: str, step: str, pause: str, place: str) -> None:
    def stop(*_: Any, **__: Any) -> NoReturn:
        Path(place).touch()
        while True:
            time.sleep(60)

    if pause == "launch":
        launcher.Launcher.launch = stop  # type: ignore[method-assign]
    if pause == "report":
        write = folder.StepFolder.write
        folder.StepFolder.write = lambda self, record: stop() if record.result else write(self, record)  # type: ignore[method-assign]
    asyncio.run(Host(Path(root)).steps.run_step(StepInput.model_validate_json(step)))


if __name__ == "__main__":
    main(*sys.argv[1:])
