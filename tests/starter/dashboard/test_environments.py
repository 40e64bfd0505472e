"""What runs where, beside the list of runs, and the way back to an earlier release."""

from __future__ import annotations

import secrets

import pytest

from tests.starter.dashboard.acting import CANCEL, OK, give
from tests.starter.dashboard.browser import Page
from tests.starter.dashboard.site import Play, Site

pytestmark = pytest.mark.component("chromium")


@pytest.fixture
def environment(play: Play) -> str:
    """With releases 'two' (stable) and 'one'."""
    name = f"env-{secrets.token_hex(4)}"
    play.release_to(name)
    return name


def card(environment: str) -> str:
    return f"[data-environment='{environment}']"


def test_an_environment_tells_what_runs_there(page: Page, site: Site, environment: str) -> None:
    page.open(site.url)
    page.says(card(environment), "v-two")
    assert "shop" in page.text(card(environment))


def test_the_way_back_is_confirmed_and_names_its_rollout(page: Page, site: Site, environment: str) -> None:
    page.open(site.url)
    page.click(f"{card(environment)} button[data-action=rollback]")
    page.one("dialog#confirm[open]")
    assert environment in page.text("#confirm")
    choices = [each.get_attribute("value") for each in page.all("#confirm select[name=choice] option")]
    assert choices == ["one"], "what is stable now is no way back"
    give(page, reason="slow")
    page.click(OK)
    page.says("#answer", f"rollout/{environment}/shop/one")


def test_who_thinks_better_of_it_rolls_nothing_back(page: Page, site: Site, play: Play, environment: str) -> None:
    page.open(site.url)
    asked = play.asked_of(f"environment/{environment}/shop")
    page.click(f"{card(environment)} button[data-action=rollback]")
    page.click(CANCEL)
    page.gone("dialog#confirm")
    assert play.asked_of(f"environment/{environment}/shop") == asked
