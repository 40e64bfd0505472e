"""The list of runs: what is in it, how it is narrowed, and that it keeps up by itself."""

from __future__ import annotations

import secrets
from urllib.parse import urlsplit

import pytest

from tests.starter.dashboard.browser import Page
from tests.starter.dashboard.site import Play, Site

pytestmark = pytest.mark.component("chromium")

ROWS = "table#runs tbody tr[data-run]"


@pytest.fixture
def repo() -> str:
    """A repository that no other test has."""
    return f"acme/{secrets.token_hex(4)}"


def listed(page: Page) -> list[str]:
    """Ids of the runs as they stand in the table, from above."""
    ids: list[str] = page.script("return [...document.querySelectorAll(arguments[0])].map((row) => row.dataset.run)", ROWS)
    return ids


def narrow(page: Page, **fields: str) -> None:
    """Fill the form as a person does, and send it by Enter or by choosing."""
    for name, value in fields.items():
        field = page.one(f"#filters [name={name}]")
        if field.tag_name == "select":
            page.script("arguments[0].value = arguments[1]", field, value)
            page.script("arguments[0].dispatchEvent(new Event('change', {bubbles: true}))", field)
        else:
            page.fill(f"#filters [name={name}]", value + "\n")


def test_runs_are_listed_newest_first(page: Page, site: Site, play: Play, repo: str) -> None:
    old = play.begin("wait", repo=repo, branch="first")
    new = play.begin("wait", repo=repo, branch="second")
    page.open(site.url)
    assert page.script("return document.body.dataset.page") == "runs"
    narrow(page, repo=repo)
    page.until(lambda: listed(page) == [new.workflow_id, old.workflow_id], "both runs are listed, the newer one first")
    row = page.one(f"tr[data-run='{new.workflow_id}']").text
    for told in (repo, "second", new.sha[:7], "ada", "running"):
        assert told in row, row
    page.click(f"tr[data-run='{new.workflow_id}'] a")
    page.one("#stages li[data-stage=build]")
    assert urlsplit(page.driver.current_url).path == urlsplit(site.page_of(new)).path


def test_runs_are_narrowed_by_branch_and_status(page: Page, site: Site, play: Play, repo: str) -> None:
    waiting = play.begin("wait", repo=repo, branch="main")
    held = play.begin("hold", repo=repo, branch="main")
    other = play.begin("wait", repo=repo, branch="next")
    page.open(site.url)
    narrow(page, repo=repo)
    page.until(lambda: set(listed(page)) == {waiting.workflow_id, held.workflow_id, other.workflow_id}, "all three are listed")
    narrow(page, branch="main")
    page.until(lambda: set(listed(page)) == {waiting.workflow_id, held.workflow_id}, "those of main are listed")
    narrow(page, status="held")
    page.until(lambda: listed(page) == [held.workflow_id], "only the held one is listed")
    narrow(page, branch="next")
    page.until(lambda: listed(page) == [], "none is listed")


def test_a_narrowed_list_has_an_address_of_its_own(page: Page, site: Site, play: Play, repo: str) -> None:
    run = play.begin("wait", repo=repo)
    page.open(f"{site.url}/?repo={repo.replace('/', '%2F')}&status=running")
    page.until(lambda: listed(page) == [run.workflow_id], "the address narrows the list")
    assert page.one("#filters [name=repo]").get_property("value") == repo


def test_a_new_run_comes_up_without_reload(page: Page, site: Site, play: Play, repo: str) -> None:
    first = play.begin("wait", repo=repo)
    page.open(site.url)
    narrow(page, repo=repo)
    page.until(lambda: listed(page) == [first.workflow_id], "the first run is listed")
    page.script("window.sameDocument = true")
    second = play.begin("wait", repo=repo)
    page.until(lambda: listed(page) == [second.workflow_id, first.workflow_id], "the second run has come up")
    assert page.script("return window.sameDocument") is True


def test_a_runs_status_keeps_up(page: Page, site: Site, play: Play, repo: str) -> None:
    run = play.begin("wait", repo=repo)
    page.open(site.url)
    narrow(page, repo=repo)
    page.says(f"tr[data-run='{run.workflow_id}']", "running")
    play.approve(run)
    page.says(f"tr[data-run='{run.workflow_id}']", "passed")


def test_refreshing_leaves_the_keyboard_where_it_was(page: Page, site: Site, play: Play, repo: str) -> None:
    first = play.begin("wait", repo=repo)
    page.open(site.url)
    narrow(page, repo=repo)
    page.until(lambda: listed(page) == [first.workflow_id], "the first run is listed")
    page.script("document.querySelector(arguments[0]).focus()", f"tr[data-run='{first.workflow_id}'] a")
    play.begin("wait", repo=repo)
    page.until(lambda: len(listed(page)) == 2, "the second run has come up")
    focused = page.script("return document.activeElement.closest('tr')?.dataset.run")
    assert focused == first.workflow_id


def test_an_empty_list_says_so(page: Page, site: Site, repo: str) -> None:
    page.open(site.url)
    narrow(page, repo=repo)
    page.says("main", "No run is like that")
    assert listed(page) == []
