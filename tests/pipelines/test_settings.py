"""Settings from the environment and a file, with the environment first and secrets hidden."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from pydantic import ValidationError

from pipelines.settings import Settings


@pytest.fixture(autouse=True)
def nothing_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The path of the file that would be read."""
    for name in [name for name in os.environ if name.startswith("SWITCHYARD_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "switchyard.toml"


def test_nothing_needs_to_be_set() -> None:
    found = Settings()
    assert found.state_dir == Path.home() / ".local" / "state" / "switchyard"
    assert found.database == f"sqlite:///{found.state_dir}/records.sqlite"
    assert (found.web_url, found.ui_url) == ("http://127.0.0.1:8080", "http://127.0.0.1:8233")
    assert (found.prometheus_url, found.offline, found.web.token) == ("", False, None)


def test_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SWITCHYARD_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("SWITCHYARD_PORTS__WEB", "9999")
    monkeypatch.setenv("SWITCHYARD_PROMETHEUS_STEP", "60")
    monkeypatch.setenv("SWITCHYARD_OFFLINE", "true")
    found = Settings()
    assert found.layout.root == tmp_path / "state"
    assert (found.ports.web, found.ports.proxy, found.web_url) == (9999, 8000, "http://127.0.0.1:9999")
    assert (found.prometheus_step, found.offline) == (60.0, True)


def test_a_file_and_the_environment_before_it(nothing_set: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nothing_set.write_text('temporal_namespace = "file"\n[ports]\nweb = 1111\nproxy = 2222\n')
    assert Settings().temporal_namespace == "file"
    monkeypatch.setenv("SWITCHYARD_TEMPORAL_NAMESPACE", "environment")
    monkeypatch.setenv("SWITCHYARD_PORTS__WEB", "3333")
    found = Settings()
    assert (found.temporal_namespace, found.ports.web, found.ports.proxy) == ("environment", 3333, 2222)


def test_the_file_can_be_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "etc" / "mine.toml"
    file.parent.mkdir()
    file.write_text("offline = true\n")
    assert Settings().offline is False
    monkeypatch.setenv("SWITCHYARD_CONFIG", str(file))
    assert Settings().offline is True


def test_arguments_win() -> None:
    assert Settings(temporal_namespace="here").temporal_namespace == "here"


@pytest.mark.parametrize("text", ["prometheus = 'x'", "[ports]\nweb = 'many'", "prometheus_step = 0", "[web]\nmax_body = 'big'"])
def test_a_wrong_file_is_refused(nothing_set: Path, text: str) -> None:
    nothing_set.write_text(text)
    with pytest.raises(ValidationError):
        Settings()


def test_secrets_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWITCHYARD_DATABASE_URL", "postgresql://me:geheim@db/records")
    monkeypatch.setenv("SWITCHYARD_WEB__TOKEN", "geheim")
    monkeypatch.setenv("SWITCHYARD_WEB__GITHUB_SECRET", "geheim")
    monkeypatch.setenv("SWITCHYARD_WEB__GITLAB_TOKEN", "geheim")
    found = Settings()
    for shown in (repr(found), str(found), found.model_dump_json(), str(found.model_dump())):
        assert "geheim" not in shown
    assert found.database == "postgresql://me:geheim@db/records"
    assert found.web.token is not None
    assert found.web.token.get_secret_value() == "geheim"


def test_addresses_that_links_use() -> None:
    found = Settings(web={"public_url": "https://ci.example.org"}, temporal_ui_url="https://temporal.example.org")
    assert (found.web_url, found.ui_url) == ("https://ci.example.org", "https://temporal.example.org")
