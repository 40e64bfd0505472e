"""Text that others choose stays text: commit messages, branches, names, output, findings. Nothing of it becomes an element."""

from __future__ import annotations

import secrets
from urllib.parse import quote

import pytest
from selenium.common.exceptions import NoAlertPresentException

from tests.starter.dashboard.acting import act
from tests.starter.dashboard.browser import Page
from tests.starter.dashboard.evidence import seed
from tests.starter.dashboard.site import Play, Site

pytestmark = pytest.mark.component("chromium")

MARKUP = "<img src=x onerror=alert(1) class=injected><script class=injected>alert(2)</script></script>"
LEAVING = "\"'><svg class=injected onload=alert(3)>{{7*7}}${7*7}"
INJECTED = ".injected, [onerror], [onload], [onclick], [onmouseover], [style*=injected], a[href^='javascript:']"
TEMPTING = [MARKUP, LEAVING, "<b class=injected>bold</b>", "javascript:alert(4)//<"]


def harmless(page: Page) -> None:
    with pytest.raises(NoAlertPresentException):
        page.driver.switch_to.alert.text  # noqa: B018
    assert [each.get_attribute("outerHTML") for each in page.all(INJECTED)] == []


@pytest.mark.parametrize("words", TEMPTING)
def test_a_runs_own_words_stay_text_in_the_list(page: Page, site: Site, play: Play, words: str) -> None:
    repo = f"acme/{secrets.token_hex(4)}"
    run = play.begin(words, repo=repo, branch=words.replace("\\", ""), actor=words)
    page.open(f"{site.url}/?repo={quote(repo, safe='')}")
    page.says(f"tr[data-run='{run.workflow_id}']", "<")
    assert words[:20] in page.text("#runs tbody")
    harmless(page)


@pytest.mark.parametrize("words", TEMPTING)
def test_all_that_others_say_stays_text_on_a_runs_page(page: Page, site: Site, play: Play, words: str) -> None:
    run = play.begin(words, branch=words, actor=words)
    seed(site.records, run.workflow_id, words)
    site.write(words, f"\x1b[31m{words}\x1b[0m", f"https://example.invalid/{words}", "the end")
    page.open(site.page_of(run))
    page.says("#stages li[data-stage=go]", words[:20])
    for section in ("#findings", "#tests", "#gates"):
        page.says(section, words[:20])
    page.click("button[data-stage=build][data-step='0']")
    page.says("#log", "the end")
    assert page.text("#log").count(words[:20]) == 3
    harmless(page)


def test_an_answer_stays_text(page: Page, site: Site, play: Play) -> None:
    run = play.begin("hold")
    page.open(site.page_of(run))
    act(page, "abort", actor=MARKUP, reason=MARKUP)
    page.says("#answer", "run: abort")
    [asked] = play.asked(run)
    assert (asked["actor"], asked["reason"]) == (MARKUP[:100], MARKUP[:500])
    harmless(page)


def test_an_address_stays_text(page: Page, site: Site) -> None:
    page.open(f"{site.url}/runs/{quote(MARKUP, safe='')}")
    page.one("body[data-page=run]")
    page.until(
        lambda: "not" in page.text("main").lower() or "no " in page.text("main").lower(), "the page says that it finds none"
    )
    harmless(page)
    page.open(f"{site.url}/?repo={quote(LEAVING, safe='')}&branch={quote(MARKUP, safe='')}")
    page.one("body[data-page=runs]")
    page.until(lambda: page.text("main").strip(), "the page is drawn")
    harmless(page)
    assert [each for each in page.complaints() if "400" not in each and "404" not in each] == []
