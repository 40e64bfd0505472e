"""Everything by keyboard: from the top of a page to a confirmed approval, with the focus always to be seen."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from selenium.webdriver.common.keys import Keys

from pipelines.messages.common import RunRequest, Status
from tests.starter.dashboard.browser import Page
from tests.starter.dashboard.site import Play, Site
from tests.starter.web.conftest import TOKEN

pytestmark = pytest.mark.component("chromium")

Show = Callable[..., RunRequest]
MOST_STOPS = 60
FOCUSED = """
const element = document.activeElement, style = getComputedStyle(element), box = element.getBoundingClientRect();
return {
  name: element.dataset.action || element.name || element.value || element.id || element.tagName,
  marked: (style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0) || style.boxShadow !== 'none',
  inView: box.bottom > 0 && box.top < innerHeight,
};
"""


def tab_to(page: Page, css: str) -> list[str]:
    """Press Tab until `css` has the focus; the stops on the way. Every one must be visible and marked."""
    stops = []
    for _ in range(MOST_STOPS):
        page.keys(Keys.TAB)
        focused = page.script(FOCUSED)
        stops.append(focused["name"])
        assert focused["marked"], f"the focus on {focused['name']} cannot be seen"
        assert focused["inView"], f"{focused['name']} has the focus out of sight"
        if page.script("return document.activeElement.matches(arguments[0])", css):
            return stops
    raise AssertionError(f"{css} cannot be reached by Tab: {stops}")


def test_from_tab_to_approve(page: Page, play: Play, show: Show) -> None:
    run = show("wait")
    page.one("#actions button[data-action=approve]")
    tab_to(page, "#actions button[data-action=approve]")
    page.keys(Keys.ENTER)
    page.one("dialog#confirm[open]")
    inside = "return document.querySelector('#confirm').contains(document.activeElement)"
    assert page.script(inside), "the focus is in the dialog"
    if not page.script("return document.activeElement.matches('[name=token]')"):
        tab_to(page, "#confirm [name=token]")
    page.keys(TOKEN)
    tab_to(page, "#confirm [name=reason]")
    page.keys("by keyboard")
    tab_to(page, "#confirm [value=ok]")
    assert page.script(inside), "the focus stays in the dialog"
    page.keys(Keys.SPACE)
    page.says("#answer", "approve go True")
    assert play.view(run).status == Status.passed
    assert page.script("return document.activeElement !== document.body"), "the focus is not lost"


def test_a_step_is_chosen_and_its_log_read(page: Page, site: Site, show: Show) -> None:
    site.write(*(f"line {number}" for number in range(300)))
    show("wait")
    tab_to(page, "button[data-stage=build][data-step='0']")
    page.keys(Keys.ENTER)
    page.says("#log", "line 299")
    tab_to(page, "#log")
    page.keys(Keys.HOME)
    page.until(lambda: page.script("return document.querySelector('#log').scrollTop") == 0, "the log's beginning is shown")


def test_from_the_list_to_a_run(page: Page, site: Site, play: Play) -> None:
    run = play.begin("wait")
    page.until(lambda: play.listed(run), "the run can be found")
    page.open(f"{site.url}/?repo={run.repo}")
    page.one(f"tr[data-run='{run.workflow_id}']")
    tab_to(page, f"tr[data-run='{run.workflow_id}'] a")
    page.keys(Keys.ENTER)
    page.one("#stages li[data-stage=build]")


def test_everything_that_can_be_pressed_has_a_name(page: Page, show: Show) -> None:
    show("hold")
    page.one("#actions button")
    controls = [each for each in page.all("a[href], button, input, select, [tabindex='0']") if each.is_displayed()]
    assert len(controls) > 5
    assert [each.get_attribute("outerHTML") for each in controls if not each.accessible_name] == []
