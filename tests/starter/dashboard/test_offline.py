"""The server goes and comes back, and the page says so and recovers by itself."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pipelines.messages.common import RunRequest
from tests.starter.dashboard.acting import act
from tests.starter.dashboard.browser import Page
from tests.starter.dashboard.site import Play, Site

pytestmark = pytest.mark.component("chromium")

Show = Callable[..., RunRequest]
EXPECTED = ("ERR_CONNECTION_REFUSED", "ERR_CONNECTION_RESET", "ERR_EMPTY_RESPONSE", "ERR_INCOMPLETE_CHUNKED_ENCODING")


def unexpected(page: Page) -> list[str]:
    return [each for each in page.complaints() if not any(name in each for name in EXPECTED)]


def test_a_runs_page_tells_that_the_server_is_gone_and_recovers(page: Page, site: Site, play: Play, show: Show) -> None:
    run = show("wait")
    page.gone("#offline")
    site.stop()
    page.one("#offline")
    assert "compile" in page.text("#stages"), "what was known is still shown"
    play.approve(run)
    site.start()
    page.gone("#offline")
    page.one("#status[data-status=passed]")
    assert unexpected(page) == []


def test_the_list_tells_that_the_server_is_gone_and_recovers(page: Page, site: Site, play: Play) -> None:
    run = play.begin("wait")
    page.open(f"{site.url}/?repo={run.repo}&branch=main")
    page.one(f"tr[data-run='{run.workflow_id}']")
    page.gone("#offline")
    site.stop()
    page.one("#offline")
    assert page.all(f"tr[data-run='{run.workflow_id}']")
    site.start()
    page.gone("#offline")
    assert unexpected(page) == []


def test_a_log_goes_on_where_it_was(page: Page, site: Site, show: Show) -> None:
    site.write("before the restart")
    show("work")
    page.click("button[data-stage=build][data-step='0']")
    page.says("#log", "before the restart")
    site.stop()
    site.write("while it was away")
    site.start()
    page.says("#log", "while it was away")
    site.write("after it")
    page.says("#log", "after it")
    assert page.text("#log").count("before the restart") == 1
    assert unexpected(page) == []


def test_an_action_without_a_server_is_not_lost_silently(page: Page, site: Site, play: Play, show: Show) -> None:
    run = show("wait")
    site.stop()
    act(page, "approve")
    page.says("main, dialog", "does not answer")
    site.start()
    page.gone("#offline")
    assert play.view(run).reason == "asked: "
    assert unexpected(page) == []


@pytest.mark.parametrize("name", ["runs", "run"])
def test_a_page_opened_while_temporal_is_away_says_so(page: Page, lonely: Site, play: Play, name: str) -> None:
    run = play.begin("wait")
    page.open(lonely.url if name == "runs" else lonely.page_of(run))
    page.says("body", "Temporal")
    page.says("body", "switchyard up")
    assert [each for each in page.complaints() if "503" not in each] == []
