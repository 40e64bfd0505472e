"""Errors as answers, and names of runs in paths."""

from __future__ import annotations

import json

import pytest
from starlette.convertors import CONVERTOR_TYPES
from starlette.routing import compile_path

from pipelines.errors import (
    Busy,
    Conflict,
    Denied,
    GateRefused,
    HostLost,
    NotFound,
    SettingsError,
    SourceError,
    SwitchyardError,
    Throttled,
    Unavailable,
    UserError,
)
from starter.api.problems import of_error
from starter.api.refs import ROLLOUT, RUN

SHA = "0123456789abcdef0123456789abcdef01234567"


@pytest.mark.parametrize(
    ("kind", "status", "retry"),
    [
        (NotFound, 404, None),
        (Conflict, 409, None),
        (Denied, 403, None),
        (UserError, 400, None),
        (SettingsError, 400, None),
        (SourceError, 400, None),
        (GateRefused, 409, None),
        (Unavailable, 503, "5"),
        (HostLost, 503, "5"),
        (Busy, 503, "1"),
        (Throttled, 503, "1"),
    ],
)
def test_the_class_of_an_error_is_its_status(kind: type[SwitchyardError], status: int, retry: str | None) -> None:
    answer = of_error(kind("it did not work", "Do this"))
    assert (answer.status_code, answer.headers.get("retry-after")) == (status, retry)
    assert json.loads(bytes(answer.body)) == {"error": "it did not work", "remedy": "Do this"}


@pytest.mark.parametrize(
    "ref",
    [
        f"github/acme/shop/{SHA}/default",
        f"gitlab/acme/web/deep/shop/{SHA}/default@pr-1",
        f"local/shop/{SHA}{SHA[:24]}/nightly",
        f"github/acme/shop/{SHA}/events",
        f"github/acme/{SHA}/{SHA}/default",
        SHA,
        "0123",
        "acme/shop@01234",
        "acme/web/shop@01234",
    ],
)
@pytest.mark.parametrize("behind", ["", "/events", "/findings", "/logs/build/0", "/approve"])
def test_a_runs_name_is_told_from_what_comes_behind(ref: str, behind: str) -> None:
    regex = compile_path(RUN + behind)[0]
    match = regex.match(f"/api/runs/{ref}{behind}")
    assert match, ref
    assert match["ref"] == ref


@pytest.mark.parametrize(
    "ref", ["", "012", "xyz", "acme/shop", f"{SHA}/default", f"github/acme/shop/{SHA}", "acme/shop@1", "../x"]
)
def test_what_names_no_run(ref: str) -> None:
    assert not compile_path(RUN)[0].match(f"/api/runs/{ref}")


@pytest.mark.parametrize("ref", ["rollout/staging/shop/1", "rollout/prod-eu/shop-api/12"])
def test_a_rollouts_name(ref: str) -> None:
    for behind in ("", "/events", "/abort"):
        match = compile_path(ROLLOUT + behind)[0].match(f"/api/rollouts/{ref}{behind}")
        assert match, behind
        assert match["ref"] == ref
    assert not compile_path(ROLLOUT)[0].match(f"/api/rollouts/{ref}/more/and/more")


@pytest.mark.parametrize("kind", ["run", "rollout"])
def test_names_go_into_paths_as_they_are(kind: str) -> None:
    convertor = CONVERTOR_TYPES[kind]
    assert convertor.to_string(convertor.convert("rollout/a/b/1")) == "rollout/a/b/1"
