"""One browser for this folder; each test has a server, a state directory and (by its port) a browser origin of its own."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from selenium.webdriver import Chrome

from activities.records.migrate import upgrade
from pipelines.layout import Layout
from pipelines.messages.common import RunRequest
from tests.starter.dashboard.browser import Page, chromium
from tests.starter.dashboard.site import Play, Site
from tests.starter.web.conftest import settings_for
from tests.support.ports import free_port


@pytest.fixture(scope="package")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    with chromium(tmp_path_factory.mktemp("chromium")) as started:
        yield started


@pytest.fixture(scope="package")
def play(standin_server: str) -> Iterator[Play]:
    playing = Play(standin_server)
    yield playing
    playing.close()


@pytest.fixture(scope="package")
def empty_records(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database as the first `switchyard up` makes it; copying one is faster than making one."""
    made = Layout(tmp_path_factory.mktemp("records")).database
    upgrade(f"sqlite:///{made}")
    return made


@pytest.fixture
def site(tmp_path: Path, standin_server: str, empty_records: Path) -> Iterator[Site]:
    serving = Site(settings_for(tmp_path, standin_server))
    shutil.copy(empty_records, serving.settings.layout.database)
    serving.start()
    yield serving
    serving.stop()


@pytest.fixture
def page(driver: Chrome, site: Site) -> Iterator[Page]:
    """A page whose console must stay clean, unless the test has read it itself."""
    shown = Page(driver)
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {})
    driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    shown.open("about:blank")
    shown.complaints()
    yield shown
    complaints = shown.complaints()
    shown.open("about:blank")
    assert complaints == []


@pytest.fixture
def show(page: Page, site: Site, play: Play) -> Callable[[str], RunRequest]:
    """Begins a stand-in run of this title and opens its page, with what it does at first already to be seen."""

    def shown(title: str = "wait") -> RunRequest:
        run = play.begin(title)
        page.open(site.page_of(run))
        page.one("#stages li[data-stage=build]")
        return run

    return shown


@pytest.fixture
def lonely(tmp_path: Path) -> Iterator[Site]:
    """A server that finds no Temporal."""
    serving = Site(settings_for(tmp_path / "lonely", f"127.0.0.1:{free_port()}"))
    serving.start()
    yield serving
    serving.stop()
