"""The proxy counts as up when it serves the routes that it was left, not when it merely runs."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import httpx
import pytest
import yaml

from pipelines.errors import Unavailable
from pipelines.messages.deploy import Place
from pipelines.routefile import render, router_names, unreadable
from pipelines.settings import Settings
from pipelines.traefik import BASE_FILE, Backend, Routing, base_config, direct_path, file_name
from starter.stack import proxy, stack

PLACES = [Place(environment="staging", service=f"shop-{number}") for number in range(150)]


def routes(settings: Settings, *places: Place) -> Path:
    """Route files as they are left by activities; nobody answers behind them."""
    folder = settings.layout.routes
    folder.mkdir(parents=True, exist_ok=True)
    (folder / BASE_FILE).write_text(yaml.safe_dump(base_config()))
    for place in places:
        routing = Routing(place=place, weights={"one": 100}, backends={"one": Backend(servers=["http://127.0.0.1:9"])})
        (folder / file_name(place)).write_text(render(routing))
    return folder


def status(settings: Settings, place: Place) -> int:
    url = f"http://127.0.0.1:{settings.ports.proxy}{direct_path(place)}/"
    return httpx.get(url, trust_env=False, timeout=10).status_code


@pytest.mark.component("traefik")
def test_whoever_asks_once_it_is_up_is_routed(settings: Settings) -> None:
    routes(settings, *PLACES)
    for _ in range(3):
        [state] = stack.up(settings, ["proxy"])
        assert {status(settings, place) for place in PLACES[::10]} <= {502, 503, 504}
        assert status(settings, Place(environment="staging", service="unknown")) == 404
        assert state.pid
        os.kill(state.pid, signal.SIGKILL)


@pytest.mark.component("traefik")
def test_a_file_that_cannot_be_read_is_named(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proxy, "_LOAD_SECONDS", 1.0)
    folder = routes(settings, PLACES[0])
    (folder / "mine.yml").write_text("http: [")
    with pytest.raises(Unavailable) as failed:
        stack.up(settings, ["proxy"])
    assert "the proxy (Traefik) does not serve staging_shop-0@file, staging_shop-0_direct@file" in str(failed.value)
    assert f"Mend or remove {folder / 'mine.yml'}, which is not valid YAML" in str(failed.value)
    (folder / "mine.yml").unlink()
    [state] = stack.up(settings, ["proxy"])
    assert state.state == "running"


@pytest.mark.component("traefik")
def test_a_running_proxy_is_not_started_again_over_a_broken_file(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """It still serves what it has read before; anew it would serve nothing."""
    monkeypatch.setattr(proxy, "_LOAD_SECONDS", 1.0)
    folder = routes(settings, PLACES[0])
    [before] = stack.up(settings, ["proxy"])
    (folder / "mine.yml").write_text("http: [")
    routes(settings, PLACES[1])
    with pytest.raises(Unavailable, match="does not serve staging_shop-1@file"):
        stack.up(settings, ["proxy"])
    [after] = [state for state in stack.status(settings) if state.name == "proxy"]
    assert (after.pid, after.state) == (before.pid, "healthy")
    assert status(settings, PLACES[0]) != 404


@pytest.mark.parametrize(
    ("text", "names", "can"),
    [
        (render(Routing(place=PLACES[0])), [], True),
        ("http: {routers: {a: {}, b: {}}}", ["a@file", "b@file"], True),
        ("http: {routers: }", [], True),
        ("http: [", [], False),
        ("", [], True),
    ],
)
def test_names_of_routers(text: str, names: list[str], can: bool, tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_text("http: {}")
    (tmp_path / "b.yaml").write_text(text)
    assert router_names(text) == names
    assert unreadable(tmp_path) == (None if can else tmp_path / "b.yaml")
