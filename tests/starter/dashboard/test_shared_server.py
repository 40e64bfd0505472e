"""A server that listens to others too: browsers give the token as a password to read, and pages work as they do at home."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.messages.common import Status
from tests.starter.dashboard.acting import act
from tests.starter.dashboard.browser import Page
from tests.starter.dashboard.site import Play, Site
from tests.starter.web.conftest import TOKEN, settings_for

pytestmark = pytest.mark.component("chromium")


@pytest.fixture
def shared(tmp_path: Path, standin_server: str, empty_records: Path) -> Iterator[Site]:
    """Set up for all addresses; this test's socket is on the loopback interface all the same."""
    folder = tmp_path / "shared"
    folder.mkdir()
    serving = Site(settings_for(folder, standin_server, host="0.0.0.0"))
    shutil.copy(empty_records, serving.settings.layout.database)
    serving.start()
    yield serving
    serving.stop()


def log_in(page: Page, site: Site, password: str) -> None:
    """What the browser's own dialog does: it keeps the password for the pages of this server."""
    page.open(f"http://anybody:{password}@127.0.0.1:{site.port}/api/environments")


def test_without_the_token_nothing_can_be_read(page: Page, shared: Site, play: Play) -> None:
    run = play.begin("wait")
    log_in(page, shared, "guessed")
    page.open(shared.page_of(run))
    assert page.all("#stages") == []
    assert run.sha not in page.script("return document.documentElement.outerHTML")
    assert [each for each in page.complaints() if "401" not in each] == []


def test_with_the_token_pages_are_live_and_buttons_work(page: Page, shared: Site, play: Play) -> None:
    run = play.begin("wait")
    log_in(page, shared, TOKEN)
    page.open(shared.page_of(run))
    page.one("#stages li[data-stage=build]")
    assert play.view(run).status == Status.running
    act(page, "approve")
    page.says("#answer", "approve go True")
    page.one("#status[data-status=passed]")
    assert [each for each in page.complaints() if "favicon" not in each] == [], "only the answer in JSON has no icon"
