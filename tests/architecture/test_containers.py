"""The compose file and the Dockerfile: read by their own tools, and held to what a long-lived installation needs."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipelines.settings import Settings
from starter.commands.processes import register
from starter.stack.tuning import DYNAMIC_CONFIG
from tests.support.components import absent, program

ROOT = Path(__file__).parents[2]
COMPOSE = ROOT / "docker-compose.temporal.yml"
ONE_SHOT = ("temporal-schema", "temporal-namespace")
NEEDED = {"POSTGRES_PASSWORD": "pg-secret", "SWITCHYARD_WEB__TOKEN": "web-token"}


def _compose_tool() -> list[str]:
    docker = shutil.which("docker")
    if docker and subprocess.run([docker, "compose", "version"], capture_output=True).returncode == 0:
        return [docker, "compose"]
    found = shutil.which("docker-compose")
    if not found:
        absent("neither 'docker compose' nor docker-compose is installed")
    return [str(found)]


def _config(**environment: str) -> subprocess.CompletedProcess[str]:
    command = [*_compose_tool(), "-f", str(COMPOSE), "config"]
    return subprocess.run(
        command, capture_output=True, text=True, env={"PATH": os.environ["PATH"], "HOME": "/nonexistent", **environment}
    )


@pytest.fixture(scope="module")
def services() -> dict[str, dict[str, Any]]:
    done = _config(**NEEDED)
    assert done.returncode == 0, done.stderr
    found: dict[str, dict[str, Any]] = yaml.safe_load(done.stdout)["services"]
    return found


def _environment(service: dict[str, Any]) -> dict[str, str]:
    given = service.get("environment", {})
    return dict(line.split("=", 1) for line in given) if isinstance(given, list) else {k: str(v) for k, v in given.items()}


def _conditions(service: dict[str, Any]) -> dict[str, str]:
    return {name: each["condition"] for name, each in service.get("depends_on", {}).items()}


def test_the_services_of_the_issue(services: dict[str, dict[str, Any]]) -> None:
    assert sorted(services) == sorted(
        ["postgresql", "temporal", "temporal-schema", "temporal-namespace", "temporal-ui", "worker", "web", "proxy"]
    )


@pytest.mark.parametrize("missing", sorted(NEEDED))
def test_without_a_secret_nothing_starts(missing: str) -> None:
    done = _config(**{name: value for name, value in NEEDED.items() if name != missing})
    assert done.returncode != 0
    assert missing in done.stderr


def test_every_image_has_an_exact_version_and_none_is_deprecated(services: dict[str, dict[str, Any]]) -> None:
    for name, service in services.items():
        image, _, tag = service["image"].rpartition(":")
        assert re.match(r"\d+\.\d+", tag), f"{name}: {service['image']}"
        assert "auto-setup" not in image


def test_what_goes_on_is_healthchecked_and_restarted(services: dict[str, dict[str, Any]]) -> None:
    for name in sorted(set(services) - set(ONE_SHOT)):
        assert services[name]["healthcheck"]["test"], name
        assert services[name]["restart"] == "unless-stopped", name
    for name in ONE_SHOT:
        assert services[name]["restart"].startswith("on-failure"), name


def test_each_starts_when_what_it_needs_is_ready(services: dict[str, dict[str, Any]]) -> None:
    done, healthy = "service_completed_successfully", "service_healthy"
    assert _conditions(services["temporal-schema"]) == {"postgresql": healthy}
    assert _conditions(services["temporal"]) == {"postgresql": healthy, "temporal-schema": done}
    assert _conditions(services["temporal-namespace"]) == {"temporal": healthy}
    for ours in ("worker", "web"):
        assert _conditions(services[ours])["temporal-namespace"] == done


def test_ports_are_published_on_loopback_only(services: dict[str, dict[str, Any]]) -> None:
    published = [str(port) for service in services.values() for port in service.get("ports", [])]
    assert len(published) == 5
    assert all("127.0.0.1" in port for port in published), published


def test_the_settings_of_our_services_are_settings(services: dict[str, dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("worker", "web", "proxy"):
        with monkeypatch.context() as patch:
            for key, value in _environment(services[name]).items():
                patch.setenv(key, value)
            settings = Settings()
        assert settings.database == "postgresql+psycopg://switchyard:pg-secret@postgresql:5432/switchyard"
        assert "pg-secret" not in repr(settings)
        assert (settings.web.token is None) == (name != "web")


def test_our_commands_exist(services: dict[str, dict[str, Any]]) -> None:
    import typer

    app = typer.Typer()
    register(app)
    known = {each.callback.__name__ for each in app.registered_commands if each.callback}
    for name in ("worker", "proxy", "web"):
        program_name, command = services[name]["command"]
        assert program_name == "switchyard"
        assert command in known


def test_the_shared_network_and_the_time_to_stop(services: dict[str, dict[str, Any]]) -> None:
    assert services["proxy"]["network_mode"] == "service:worker"
    assert services["worker"]["init"] is True
    assert services["worker"]["stop_grace_period"] == "40s"
    assert Settings(worker={"graceful_shutdown": 20.0}).worker.graceful_shutdown < 40  # type: ignore[arg-type]


def test_the_server_is_tuned_like_the_embedded_one() -> None:
    tuned = yaml.safe_load((ROOT / "deploy/temporal-dynamic-config.yaml").read_text())
    for key, values in tuned.items():
        assert str(values[0]["value"]) == DYNAMIC_CONFIG[key]
    assert "history.transferProcessorMaxPollRPS" in tuned


def test_hadolint_finds_nothing_in_the_dockerfile() -> None:
    done = subprocess.run([program("hadolint"), "--format", "json", str(ROOT / "Dockerfile")], capture_output=True, text=True)
    assert json.loads(done.stdout) == []
    assert done.returncode == 0


def test_hadolint_would_find_something(tmp_path: Path) -> None:
    worse = tmp_path / "Dockerfile"
    worse.write_text((ROOT / "Dockerfile").read_text().replace("python:3.11.14-slim-bookworm", "python:latest"))
    done = subprocess.run([program("hadolint"), str(worse)], capture_output=True, text=True)
    assert "DL3007" in done.stdout


def test_what_the_image_is_built_from_is_not_ignored() -> None:
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    names = [name for line in copied for name in line.split()]
    kept = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert names
    assert set(names) == kept
    assert all((ROOT / name).exists() for name in names)


def test_the_image_runs_as_nobody_special() -> None:
    users = re.findall(r"^USER (\S+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert users == ["10001"]
