"""Definitions for tests: written by hand as YAML, and drawn by hypothesis."""

from __future__ import annotations

import string
from textwrap import dedent, indent
from typing import Any

import pytest
from hypothesis import strategies as st

from pipelines.errors import SpecError
from pipelines.load import load_pipeline
from pipelines.spec import Pipeline

FILE = "shop.yml"
HEAD = "name: shop\nservice: shop\n"


def stages(text: str, head: str = "") -> str:
    """A pipeline file with these stages; the first of them is in line 4, plus the lines of `head`."""
    return f"{HEAD}{dedent(head).lstrip()}stages:\n{indent(dedent(text).strip(), '  ')}\n"


def load(text: str, **variables: str) -> Pipeline:
    return load_pipeline(text, FILE, variables)


def complaints(text: str, **variables: str) -> list[str]:
    """What is wrong: 'line:column: message. remedy' each."""
    with pytest.raises(SpecError) as caught:
        load(text, **variables)
    return [str(problem).removeprefix(f"{FILE}:") for problem in caught.value.problems]


def complaint(text: str, **variables: str) -> str:
    """The only thing that is wrong."""
    found = complaints(text, **variables)
    assert len(found) == 1, found
    return found[0]


def graphs(most: int = 8) -> st.SearchStrategy[dict[str, list[str]]]:
    """DAGs: every name needs only names that come before it in a hidden order; declared in any order."""

    @st.composite
    def draw_graph(draw: st.DrawFn) -> dict[str, list[str]]:
        names = [f"s{number}" for number in range(draw(st.integers(1, most)))]
        needs = {name: draw(st.lists(st.sampled_from(names[:at]), unique=True)) if at else [] for at, name in enumerate(names)}
        return {name: needs[name] for name in draw(st.permutations(names))}

    return draw_graph()


def with_cycle() -> st.SearchStrategy[dict[str, list[str]]]:
    """A DAG in which one edge more closes a circle."""

    @st.composite
    def draw_graph(draw: st.DrawFn) -> dict[str, list[str]]:
        needs = draw(graphs())
        circle = draw(st.lists(st.sampled_from(sorted(needs)), min_size=1, unique=True))
        for name, following in zip(circle, [*circle[1:], circle[0]], strict=True):
            needs[name] = list(dict.fromkeys([*needs[name], following]))
        return needs

    return draw_graph()


def pipeline_of(needs: dict[str, list[str]], **more: dict[str, Any]) -> Pipeline:
    """Stages that do next to nothing, with further parts by stage name."""
    given = {name: {"needs": wanted, "steps": [{"run": "true"}], **more.get(name, {})} for name, wanted in needs.items()}
    return Pipeline.model_validate({"name": "p", "service": "p", "stages": given})


_text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
_env = st.dictionaries(st.from_regex(r"[A-Z_][A-Z0-9_]{0,8}", fullmatch=True), _text, max_size=3)
_name = st.from_regex(r"[a-z][a-z0-9]{0,6}", fullmatch=True)
_seconds = st.floats(0.001, 1e7) | st.integers(1, 10**6)
_plain = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | _text
_json = st.recursive(_plain, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_text, inner, max_size=3), max_leaves=6)
_axis = st.text(string.ascii_lowercase, min_size=1, max_size=4)
_value = st.integers(0, 99) | st.booleans() | st.text(string.ascii_letters + ".-", max_size=4) | st.floats(0, 9, width=16)


def _part(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=fields)


_step = st.fixed_dictionaries(
    {"run": _text},
    optional={"name": _text, "env": _env, "timeout": _seconds, "allow_failure": st.booleans(), "image": st.none() | _text},
) | st.fixed_dictionaries({"uses": _name}, optional={"with": st.dictionaries(_text, _json, max_size=3)})
_metric = st.fixed_dictionaries(
    {"name": _text},
    optional={
        "builtin": st.sampled_from(["success-rate", "latency-p95"]),
        "successMin": st.floats(0, 1),
        "failureLimit": st.integers(0, 9),
    },
)
_analysis = st.fixed_dictionaries(
    {"metrics": st.lists(_metric, min_size=1, max_size=3)},
    optional={"interval": _seconds, "min_requests": st.integers(1, 10**6), "judge": _part(passScore=st.floats(0, 100))},
)
_canary_step = st.sampled_from([{"pause": {}}, {"pause": {"duration": 5}}, {"setWeight": 20}])
_canary = st.fixed_dictionaries(
    {
        "strategy": st.just("canary"),
        "steps": st.lists(_canary_step, min_size=1, max_size=4),
    },
    optional={"analysis": _analysis, "scaleDownDelay": _seconds},
)
_rolling = st.fixed_dictionaries({"strategy": st.just("rolling")}, optional={"maxSurge": st.integers(1, 5)})
_blue_green = st.fixed_dictionaries({"strategy": st.just("blue-green")}, optional={"autoPromotionEnabled": st.booleans()})
_release = st.fixed_dictionaries(
    {"process": st.fixed_dictionaries({"command": _text}, optional={"env": _env})}, optional={"replicas": st.integers(1, 100)}
)
_gate = _part(
    max_findings=st.dictionaries(st.sampled_from(["low", "high"]), st.integers(0, 9)),
    min_coverage=st.none() | st.floats(0, 100),
    baseline=st.lists(
        st.fixed_dictionaries({"fingerprint": _text, "owner": _text, "reason": _text, "expires": st.dates().map(str)}), max_size=2
    ),
)
_stage = st.fixed_dictionaries(
    {"steps": st.lists(_step, min_size=1, max_size=3)},
    optional={
        "when": _part(branch=st.lists(_text, max_size=2), event=st.lists(st.sampled_from(["push", "release"]), max_size=2)),
        "matrix": st.dictionaries(_axis, st.lists(_value, min_size=1, max_size=3), max_size=2),
        "env": _env,
        "timeout": _seconds,
        "retry": _part(infrastructure=st.integers(0, 100), failure=st.integers(0, 10)),
        "allow_failure": st.booleans(),
        "gate": _gate,
        "approval": _part(approvers=st.lists(_text, max_size=2), count=st.integers(1, 3)),
    },
)
_deploy = st.fixed_dictionaries(
    {"environment": _name, "release": _release, "rollout": _canary | _rolling | _blue_green},
    optional={"checks": st.lists(_part(path=st.none() | _text, status=st.integers(100, 599)), max_size=2)},
)


def definitions() -> st.SearchStrategy[dict[str, Any]]:
    """Data that the models accept, with every part of the language in some of them. Names of checks are made up."""
    return st.fixed_dictionaries(
        {"name": _name, "service": _name, "stages": st.dictionaries(_name, _stage | _deploy, min_size=1, max_size=4)},
        optional={
            "env": _env,
            "hold": _seconds,
            "fail_fast": st.booleans(),
            "description": _text,
            "concurrency": _part(group=_text, policy=st.sampled_from(["queue", "cancel-in-progress"])),
            "on": _part(push=st.lists(_text, max_size=2), release=st.booleans()),
        },
    )
