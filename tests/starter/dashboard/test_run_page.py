"""The page of one run: its stages, evidence and rollout, kept up while things happen."""

from __future__ import annotations

import secrets
from collections.abc import Callable

import pytest

from pipelines.messages.common import RunRequest
from tests.starter.dashboard.browser import Page
from tests.starter.dashboard.evidence import measure, seed
from tests.starter.dashboard.site import Play, Site

pytestmark = pytest.mark.component("chromium")

Show = Callable[..., RunRequest]
OUTSIDE = """
const within = (part, frame) => part.left >= frame.left - 2 && part.right <= frame.right + 2
  && part.top >= frame.top - 2 && part.bottom <= frame.bottom + 2;
return [...document.querySelectorAll('#rollout svg.chart')].flatMap((chart) =>
  [...chart.querySelectorAll('path, polyline, text')]
    .filter((part) => !within(part.getBoundingClientRect(), chart.getBoundingClientRect()))
    .map((part) => part.outerHTML));
"""


def test_what_a_run_is_and_how_far_it_is(page: Page, site: Site, show: Show) -> None:
    run = show("hold")
    assert page.script("return document.body.dataset.page") == "run"
    page.says("main", run.repo)
    for told in (run.sha[:7], "main", "ada"):
        assert told in page.text("main")
    assert page.one("#status").get_attribute("data-status") == "held"
    stages = "#stages li[data-stage]"
    assert page.attributes(stages, "data-stage") == ["build", "check"]
    assert page.attributes(stages, "data-status") == ["passed", "failed"]
    assert "lint found 3 problems" in page.text("li[data-stage=check]")
    assert "compile" in page.one("button[data-stage=build][data-step='0']").text


def test_stages_change_without_reload(page: Page, play: Play, show: Show) -> None:
    run = show("work")
    assert page.one("li[data-stage=build]").get_attribute("data-status") == "running"
    page.script("window.sameDocument = true")
    play.abort(run)
    page.one("li[data-stage=build][data-status=passed]")
    page.one("#status[data-status=passed]")
    assert page.script("return window.sameDocument") is True


def test_what_a_stage_waits_for_is_said(page: Page, show: Show) -> None:
    show("wait")
    assert "approval by anybody" in page.one("li[data-stage=go]").text


def test_evidence_is_shown(page: Page, site: Site, play: Play) -> None:
    run = play.begin("hold")
    seed(site.records, run.workflow_id, "words of a tool")
    page.open(site.page_of(run))
    page.says("#findings", "words of a tool")
    for told in ("ruff", "low", "7", "pip-audit"):
        assert told in page.text("#findings").lower()
    page.says("#tests", "pays")
    for told in ("cart", "tests/test_cart.py:12"):
        assert told in page.text("#tests")
    page.says("#gates", "coverage 71 %")
    assert "check" in page.text("#gates")


def test_without_records_a_page_is_whole_all_the_same(page: Page, site: Site, show: Show) -> None:
    site.settings.layout.database.unlink()
    show("hold")
    page.until(lambda: page.script("return document.readyState") == "complete", "the page is loaded")
    page.says("#stages", "compile")
    page.says("#findings", "Nothing is recorded yet")
    assert [each for each in page.complaints() if "404" not in each] == []


def test_a_rollout_is_charted_with_its_numbers_as_a_table(page: Page, site: Site, play: Play) -> None:
    run = play.begin("roll")
    measure(site.records)
    page.open(site.page_of(run))
    page.one("#rollout svg.chart")
    page.says("#rollout", "20")
    page.until(lambda: len(page.all("#rollout svg.chart .series.stable")) >= 4, "what was measured is drawn")
    for track in ("stable", "candidate"):
        drawn = page.attributes(f"#rollout svg.chart .series.{track}", "d")
        assert all(each and each.startswith("M") and "L" in each and "NaN" not in each for each in drawn), drawn
    labels = " ".join(str(each) for each in page.attributes("#rollout svg.chart", "aria-label"))
    for told in ("stable 40 /s", "candidate 10 /s", "stable 0 %", "candidate 20 %"):
        assert told in labels, labels
    for summary in page.all("#rollout details:not([open]) > summary"):
        summary.click()
    page.until(lambda: len(page.all("#rollout table tbody tr")) > 5, "the numbers stand in tables")
    told = page.script("return document.querySelector('#rollout').textContent").lower()
    assert "candidate" in told
    assert "stable" in told


def test_charts_have_a_name_for_those_who_do_not_see_them(page: Page, site: Site, play: Play) -> None:
    run = play.begin("roll")
    measure(site.records)
    page.open(site.page_of(run))
    page.one("#rollout svg.chart")
    assert set(page.attributes("#rollout svg.chart", "role")) == {"img"}
    page.until(lambda: all(each.accessible_name for each in page.all("#rollout svg.chart")), "every chart has a name")


def test_a_charts_lines_lie_within_it(page: Page, site: Site, play: Play) -> None:
    run = play.begin("roll")
    measure(site.records)
    page.open(site.page_of(run))
    page.one("#rollout svg.chart")
    outside = page.script(OUTSIDE)
    assert outside == []


def test_what_the_analyses_said_is_told_with_its_reason(page: Page, show: Show) -> None:
    show("roll")
    page.says("#rollout", "inconclusive")
    for told in ("too few requests", "40", "stable", "3", "candidate"):
        assert told in page.text("#rollout .verdicts")
    assert page.attributes("#rollout svg.chart .mark", "data-tone")[0] == "wait"


def test_a_rollouts_weight_keeps_up(page: Page, play: Play, show: Show) -> None:
    run = show("roll")
    page.says("#rollout", "paused")
    play.promote(run)
    page.says("#rollout", "promote full=False")


@pytest.mark.parametrize("ref", [f"github/acme/shop/{'0' * 40}/default", "ffffffffff"])
def test_a_run_that_is_not_there(page: Page, site: Site, ref: str) -> None:
    page.open(f"{site.url}/runs/{ref}")
    page.says("#problem", "switchyard runs")
    assert [each for each in page.complaints() if "404" not in each] == []


def test_a_short_commit_leads_to_its_run(page: Page, site: Site, play: Play) -> None:
    run = play.begin("wait", repo=f"acme/{secrets.token_hex(4)}")
    page.until(lambda: play.listed(run), "the run can be found")
    page.open(f"{site.url}/runs/{run.sha[:12]}")
    page.says("#stages", "compile")


def test_a_run_links_to_temporal(page: Page, site: Site, show: Show) -> None:
    run = show()
    [temporal] = page.attributes("#facts a[target=_blank]", "href")
    assert temporal
    assert f":{site.settings.ports.temporal_ui}/" in temporal
    assert "/workflows/" in temporal
    assert run.sha in temporal
