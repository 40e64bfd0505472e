"""Light and dark, wide and narrow, and a console without complaints, on every page."""

from __future__ import annotations

import pytest

from tests.starter.dashboard.acting import CANCEL, act
from tests.starter.dashboard.browser import Page
from tests.starter.dashboard.contrast import colour, luminance, ratio, texts, unreadable
from tests.starter.dashboard.evidence import measure, seed
from tests.starter.dashboard.site import Play, Site

pytestmark = pytest.mark.component("chromium")

RATIOS = [("#000000", "#ffffff", 21.0), ("#777777", "#ffffff", 4.48), ("#ff0000", "#ff0000", 1.0)]
WIDE_AND_NARROW = [(1200, 900), (400, 800)]


@pytest.fixture
def pages(page: Page, site: Site, play: Play) -> dict[str, tuple[str, str]]:
    """By name each page's address and what is there once it has been drawn."""
    held, rolled = play.begin("hold"), play.begin("roll")
    seed(site.records, held.workflow_id)
    measure(site.records)
    site.write("compiling", "\x1b[31mred\x1b[0m and \x1b[1;32mgreen\x1b[0m", "x" * 300)
    return {
        "runs": (site.url, f"tr[data-run='{held.workflow_id}']"),
        "held": (site.page_of(held), "#findings table"),
        "rolled": (site.page_of(rolled), "#rollout svg.chart"),
    }


def prefer(page: Page, scheme: str) -> None:
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    page.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})


def size(page: Page, width: int, height: int) -> None:
    metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
    page.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)


@pytest.mark.parametrize(("front", "back", "expected"), RATIOS)
def test_the_ratio_is_that_of_the_standard(front: str, back: str, expected: float) -> None:
    assert ratio(colour(front), colour(back)) == pytest.approx(expected, abs=0.01)


def test_pale_text_is_found(page: Page) -> None:
    page.open(
        "data:text/html,<body style='background:white'><p style='color:%23777'>pale</p><p style='color:%23000'>plain</p>"
        "<p style='color:rgba(0,0,0,.3)'>thin</p><div style='opacity:.4'><p style='color:%23000'>faded</p></div>"
        "<p style='color:white;width:1px;height:1px;overflow:hidden'>spoken</p>"
    )
    assert [each.split()[1] for each in unreadable(page)] == ["'pale'", "'thin'", "'faded'"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_text_is_readable(page: Page, pages: dict[str, tuple[str, str]], scheme: str) -> None:
    prefer(page, scheme)
    for name, (url, drawn) in pages.items():
        page.open(url)
        page.one(drawn)
        shown = texts(page)
        assert len(shown) > 5, name
        assert unreadable(page) == [], name
        assert (luminance(shown[0].back) < 0.5) == (scheme == "dark"), name


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_comes_up_over_a_page_is_readable(page: Page, site: Site, play: Play, scheme: str) -> None:
    prefer(page, scheme)
    page.open(site.page_of(play.begin("hold")))
    act(page, "abort", token="guessed")
    page.one("#confirm-problem")
    in_dialog = unreadable(page)
    page.click(CANCEL)
    site.stop()
    page.one("#offline")
    while_away = unreadable(page)
    page.complaints()
    assert (in_dialog, while_away) == ([], [])


@pytest.mark.parametrize(("width", "height"), WIDE_AND_NARROW)
def test_a_page_never_scrolls_sideways(page: Page, pages: dict[str, tuple[str, str]], width: int, height: int) -> None:
    size(page, width, height)
    for name, (url, drawn) in pages.items():
        page.open(url)
        page.one(drawn)
        assert page.script("return document.documentElement.scrollWidth") <= width, name


def test_the_policy_forbids_what_is_not_of_the_pages_own_files(page: Page, site: Site) -> None:
    """And the console tells it, so that every other test of this folder would fail by it."""
    page.open(site.url)
    page.one("#filters")
    page.script(
        "const script = document.createElement('script');"
        "script.textContent = 'window.injected = true';"
        "document.body.append(script);"
    )
    page.script("const image = new Image(); image.src = 'http://127.0.0.1:1/x.png'; document.body.append(image)")
    refused: list[str] = []

    def both() -> bool:
        refused.extend(page.complaints())
        return len(refused) >= 2

    page.until(both, "the console tells of both")
    assert all("Content Security Policy" in each for each in refused), refused
    assert page.script("return window.injected") is None
