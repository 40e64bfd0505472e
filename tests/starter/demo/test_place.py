"""The demo has a place of its own, and leaves other people's alone."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.errors import Conflict
from pipelines.settings import Ports, Settings
from starter.client import is_embedded
from starter.demo import place as places
from tests.support.ports import free_ports


@pytest.fixture(autouse=True)
def own_environment() -> Iterator[None]:
    kept = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(kept)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    ports = Ports(**dict(zip(Ports.model_fields, free_ports(len(Ports.model_fields)), strict=True)))
    return Settings(state_dir=tmp_path / "state", ports=ports)


def test_it_is_inside_the_state_directory_and_nothing_else_is_touched(settings: Settings) -> None:
    settings.state_dir.mkdir()
    (settings.state_dir / "records.sqlite").write_text("mine")
    place = places.prepare(settings)
    assert place.folder == settings.state_dir / "demo"
    assert place.settings.ports == settings.ports
    assert (settings.state_dir / "records.sqlite").read_text() == "mine"


def test_a_configured_cluster_is_not_the_demo_s(settings: Settings) -> None:
    os.environ["TEMPORAL_ADDRESS"] = "temporal.example.com:7233"
    os.environ["SWITCHYARD_DATABASE_URL"] = "postgresql+psycopg://records.example.com/live"
    place = places.prepare(settings)
    assert is_embedded(place.settings)
    assert place.settings.database.startswith("sqlite:///")
    assert "-u TEMPORAL_ADDRESS" in place.command("runs")


def test_ports_in_use_are_left_to_their_holder(settings: Settings) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", settings.ports.web))
        holder.listen()
        place = places.prepare(settings)
    assert place.settings.ports.web != settings.ports.web
    assert len(set(place.settings.ports.model_dump().values())) == len(Ports.model_fields)


def test_the_secret_is_for_its_owner_only_and_new_each_time(settings: Settings) -> None:
    first = places.prepare(settings)
    secret = first.github_secret
    config = first.folder / places.CONFIG
    assert config.stat().st_mode & 0o077 == 0
    assert len(secret) == 40
    assert secret.decode() in config.read_text()
    assert places.prepare(settings).github_secret != secret


def test_what_an_earlier_demo_left_is_removed(settings: Settings) -> None:
    left = places.prepare(settings).folder / "quotes"
    left.mkdir()
    assert not (places.prepare(settings).folder / "quotes").exists()
    assert not left.exists()


def test_a_folder_that_is_not_a_demo_s_is_not_removed(settings: Settings) -> None:
    mine = settings.state_dir / "demo" / "thesis.txt"
    mine.parent.mkdir(parents=True)
    mine.write_text("precious")
    with pytest.raises(Conflict, match="was not made by a demo"):
        places.prepare(settings)
    assert mine.read_text() == "precious"


def test_the_printed_command_reaches_the_demo_s_stack(settings: Settings) -> None:
    os.environ["SWITCHYARD_STATE_DIR"] = "/somewhere/else"
    kept = dict(os.environ)
    place = places.prepare(settings)
    done = subprocess.run(place.command("config", "--json"), shell=True, env=kept, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert str(place.folder) in done.stdout
    assert "/somewhere/else" not in done.stdout
    assert place.github_secret.decode() not in done.stdout
