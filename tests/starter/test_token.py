"""The token that writes need."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pydantic import SecretStr

from pipelines.errors import SettingsError
from pipelines.settings import Settings, Web
from starter.token import ensure_token, read_token, token_file


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(state_dir=tmp_path / "state")


def test_made_once_and_only_for_its_owner(settings: Settings) -> None:
    assert read_token(settings) == ""
    made = ensure_token(settings)
    assert len(made) >= 32
    assert ensure_token(settings) == read_token(settings) == made
    assert stat.S_IMODE(token_file(settings).stat().st_mode) == 0o600
    assert [file.name for file in settings.state_dir.iterdir()] == ["token"]


def test_many_at_once_agree(settings: Settings) -> None:
    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(lambda _: ensure_token(settings), range(16)))) == 1


def test_the_settings_win(settings: Settings) -> None:
    given = settings.model_copy(update={"web": Web(token=SecretStr("mine"))})
    assert ensure_token(given) == "mine"
    assert not token_file(given).exists()


def test_a_file_that_cannot_be_read_is_a_settings_error(settings: Settings) -> None:
    token_file(settings).mkdir(parents=True)
    with pytest.raises(SettingsError, match="cannot be read"):
        read_token(settings)
