"""What becomes of the tests of this folder where there is no browser."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.starter.dashboard.browser import chromium


@pytest.fixture(autouse=True)
def nothing_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)


def test_without_a_browser_tests_are_skipped_and_say_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SWITCHYARD_REQUIRE_ALL", raising=False)
    with pytest.raises(pytest.skip.Exception, match="apt-get install chromium"), chromium(tmp_path):
        raise AssertionError("there is no browser")


def test_they_fail_where_nothing_may_be_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWITCHYARD_REQUIRE_ALL", "1")
    with pytest.raises(pytest.fail.Exception, match="chromium"), chromium(tmp_path):
        raise AssertionError("there is no browser")
