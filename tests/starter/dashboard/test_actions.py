"""Buttons that change something: refused without the token, confirmed before, and with the effect that they promise."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pipelines.messages.common import RunRequest, Status
from tests.starter.dashboard.acting import CANCEL, OK, TOKEN_FIELD, act, choose, give
from tests.starter.dashboard.browser import Page
from tests.starter.dashboard.site import Play
from tests.starter.web.conftest import TOKEN

pytestmark = pytest.mark.component("chromium")

Show = Callable[..., RunRequest]


def refusals(page: Page) -> list[str]:
    """What the console says of answers that are no success."""
    return [each for each in page.complaints() if "401" in each or "403" in each or "409" in each]


def test_a_wrong_token_is_refused_and_the_right_one_taken(page: Page, play: Play, show: Show) -> None:
    run = show("wait")
    act(page, "approve", token="guessed")
    page.says("main, dialog", "the token is wrong")
    assert len(refusals(page)) == 1
    assert play.view(run).status == Status.running
    assert page.one(TOKEN_FIELD).is_enabled(), "the token can be given again"
    page.fill(TOKEN_FIELD, TOKEN)
    page.click(OK)
    page.says("#answer", "run: approve go True")
    page.one("#status[data-status=passed]")
    assert "approve go True" in play.view(run).reason


def test_without_a_token_nothing_is_sent(page: Page, play: Play, show: Show) -> None:
    run = show("wait")
    choose(page, "approve")
    page.click(OK)
    assert page.script("return performance.getEntriesByType('resource').filter((each) => each.name.endsWith('/approve'))") == []
    page.one("dialog#confirm[open]")
    assert play.view(run).status == Status.running


def test_an_approval_says_who_and_why(page: Page, play: Play, show: Show) -> None:
    run = show("wait")
    act(page, "approve", actor="grace", reason="looks fine")
    page.says("#answer", "approve go True")
    [asked] = play.asked(run)
    assert (asked["actor"], asked["reason"], asked["stage"]) == ("grace", "looks fine", "go")


def test_what_a_workflow_refuses_is_said(page: Page, play: Play, show: Show) -> None:
    run = show("wait")
    act(page, "approve", actor="mallory")
    page.says("main, dialog", "mallory may not approve this")
    assert len(refusals(page)) == 1
    assert play.view(run).status == Status.running


@pytest.mark.parametrize("way", ["button", "escape"])
def test_an_abort_that_is_cancelled_does_nothing(page: Page, play: Play, show: Show, way: str) -> None:
    run = show("wait")
    choose(page, "abort")
    if way == "button":
        page.click(CANCEL)
    else:
        page.keys("\ue00c")
    page.gone("dialog#confirm")
    assert page.script("return document.activeElement.dataset.action") == "abort"
    assert play.view(run).reason == "asked: "
    assert play.view(run).status == Status.running


def test_an_abort_that_is_confirmed_aborts(page: Page, play: Play, show: Show) -> None:
    run = show("wait")
    act(page, "abort", reason="wrong commit")
    page.says("#answer", "run: abort")
    assert [each["reason"] for each in play.asked(run)] == ["wrong commit"]


@pytest.mark.parametrize("action", ["retry", "skip"])
def test_a_held_run_goes_on(page: Page, play: Play, show: Show, action: str) -> None:
    run = show("hold")
    act(page, action)
    page.says("#answer", f"run: {action}")
    assert f"{action} " in play.view(run).reason


@pytest.mark.parametrize("action", ["pause", "resume", "promote"])
def test_a_rollout_is_steered(page: Page, play: Play, show: Show, action: str) -> None:
    run = show("roll")
    if action == "resume":
        act(page, "pause")
        page.says("#answer", "rollout: pause")
    act(page, action)
    page.says("#answer", f"rollout: {action}")
    assert action in play.rollout(run).reason


def test_only_what_makes_sense_is_offered(page: Page, play: Play, show: Show) -> None:
    run = show("work")
    page.one("#actions button[data-action=abort]")
    page.gone("#actions button[data-action=approve]")
    page.gone("#actions button[data-action=retry]")
    play.abort(run)
    page.one("#status[data-status=passed]")
    page.gone("#actions button[data-action=abort]")


def test_the_token_is_asked_for_once_and_kept_from_others(page: Page, play: Play, show: Show) -> None:
    show("roll")
    act(page, "promote")
    page.says("#answer", "rollout: promote")
    page.driver.refresh()
    choose(page, "promote")
    page.gone(TOKEN_FIELD)
    page.click(OK)
    page.says("#answer", "rollout: promote")
    assert TOKEN not in page.driver.current_url
    assert TOKEN not in page.script("return JSON.stringify(localStorage)")
    assert page.script("return document.cookie") == ""
    urls = page.script("return performance.getEntries().map((each) => each.name).join(' ')")
    assert TOKEN not in urls
    assert TOKEN not in page.script("return document.documentElement.outerHTML")


def test_a_second_press_does_not_ask_twice(page: Page, play: Play, show: Show) -> None:
    run = show("roll")
    choose(page, "promote")
    give(page)
    page.script("const ok = document.querySelector(arguments[0]); ok.click(); ok.click()", OK)
    page.says("#answer", "rollout: promote")
    assert play.rollout(run).reason.count("promote") == 1
