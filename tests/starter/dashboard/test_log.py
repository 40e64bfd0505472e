"""The live log of a step: it streams in, follows its end, and is text whatever a process writes."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pipelines.messages.common import RunRequest
from tests.starter.dashboard.browser import Page
from tests.starter.dashboard.site import Play, Site

pytestmark = pytest.mark.component("chromium")

STEP = "button[data-stage=build][data-step='0']"
LINES = "return document.querySelector('#log').childElementCount"
ESC = "\x1b"
Show = Callable[..., RunRequest]


def at_its_end(page: Page) -> bool:
    """Whether the newest line can be seen: of the log if it scrolls by itself, else of the page."""
    seen: bool = page.script(
        "const last = document.querySelector('#log').lastElementChild.getBoundingClientRect();"
        "const log = document.querySelector('#log').getBoundingClientRect();"
        "return last.bottom <= log.bottom + 4 && last.bottom > log.top;"
    )
    return seen


def test_a_log_streams_in_while_it_is_written(page: Page, site: Site, show: Show) -> None:
    site.write("first words")
    show("work")
    page.click(STEP)
    page.says("#log", "first words")
    assert page.one("#log").get_attribute("role") == "log"
    site.write("second words")
    page.says("#log", "second words")
    assert page.text("#log").index("first words") < page.text("#log").index("second words")


def test_a_log_follows_its_end_until_somebody_scrolls_up(page: Page, site: Site, show: Show) -> None:
    site.write(*(f"line {number}" for number in range(400)))
    show("work")
    page.click(STEP)
    page.says("#log", "line 399")
    page.until(lambda: at_its_end(page), "the log shows its end")
    site.write("newest")
    page.says("#log", "newest")
    page.until(lambda: at_its_end(page), "the log shows the newest line")
    page.script("document.querySelector('#log').scrollTop = 0")
    page.until(lambda: not at_its_end(page), "the log shows its beginning")
    site.write(*(f"more {number}" for number in range(20)))
    page.until(lambda: "more 19" in page.script("return document.querySelector('#log').textContent"), "the lines have come")
    assert page.script("return document.querySelector('#log').scrollTop") < 50


def test_the_last_words_are_there_when_the_step_has_ended(page: Page, site: Site, play: Play, show: Show) -> None:
    site.write("begun")
    run = show("work")
    page.click(STEP)
    page.says("#log", "begun")
    play.abort(run)
    site.write("last words")
    page.says("#log", "last words")
    page.says("#status", "passed")


def test_a_step_that_begins_anew_shows_its_new_log_only(page: Page, site: Site, show: Show) -> None:
    site.write("a long first try", "that went wrong")
    show("work")
    page.click(STEP)
    page.says("#log", "went wrong")
    site.log.write_text("")
    site.write("again")
    page.says("#log", "again")
    assert "went wrong" not in page.text("#log")


def test_colours_and_control_characters_do_no_harm(page: Page, site: Site, show: Show) -> None:
    site.write(
        f"{ESC}[31mred{ESC}[0m plain {ESC}[1;38;5;208mbold{ESC}[0m",
        f"{ESC}]0;a title{ESC}\\after a title",
        f"{ESC}]8;;javascript:alert(1){ESC}\\a link{ESC}]8;;{ESC}\\",
        f"{ESC}[2J{ESC}[Hcleared",
        "a\x00b\x07c\x7fd",
        "turned \u202eround\u202c",
        f"{ESC}[999999999999mfar out",
        f"{ESC}[38;2;1",
        "last of all",
    )
    show()
    page.click(STEP)
    page.says("#log", "last of all")
    text: str = page.script("return document.querySelector('#log').textContent")
    for told in ("red plain bold", "after a title", "a link", "cleared", "far out"):
        assert told in text, text
    assert not {character for character in text if ord(character) < 32 and character not in "\t\n\r"}
    assert "[31m" not in text
    assert page.all("#log a[href^='javascript']") == []


def test_a_long_log_stays_usable(page: Page, site: Site, show: Show) -> None:
    site.write(*(f"line {number} of many" for number in range(20000)), "the very last")
    show()
    page.click(STEP)
    page.until(lambda: "the very last" in page.script("return document.querySelector('#log').textContent"), "all has come")
    page.says("#log-dropped", f"The first {20001 - page.script(LINES)} lines are not shown")
    assert page.script(LINES) <= 5000
    page.until(lambda: at_its_end(page), "the log shows its end")


def test_an_unfinished_line_goes_on(page: Page, site: Site, show: Show) -> None:
    with site.log.open("a") as file:
        file.write("2026-11-23T17:56:02.000Z progress 10 %\n2026-11-23T17:56:03.000Z+ 20 %\n")
    show()
    page.click(STEP)
    page.says("#log", "progress 10 % 20 %")
