"""Every port of pipelines/ports.py in memory, programmable and recording, for the real workflows on a real Temporal server.

world = worlds.new()                                   a world of its own for one test
world.pipeline = pipeline({"build": {"steps": [{"run": "make"}]}})
world.plan(RUN_STEP, "build/0", raises(Unavailable("disk")), fails("exit 2"))    first attempt, second attempt, then normal
run = await world.run()                                starts PipelineWorkflow as `switchyard run` does
assert world.count(RUN_STEP, "build/0") == 3
"""

from tests.support.fakes.behaviours import (
    Behaviour,
    Gate,
    answers,
    breaks,
    fails,
    falls_silent,
    loses_host,
    passes,
    raises,
    times,
    waits,
)
from tests.support.fakes.stage import Stage, serving
from tests.support.fakes.world import Call, World, Worlds, key_of, pipeline, step

__all__ = [
    "Behaviour",
    "Call",
    "Gate",
    "Stage",
    "World",
    "Worlds",
    "answers",
    "breaks",
    "fails",
    "falls_silent",
    "key_of",
    "loses_host",
    "passes",
    "pipeline",
    "raises",
    "serving",
    "step",
    "times",
    "waits",
]
