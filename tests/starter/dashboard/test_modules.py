"""The pages' pure modules, called in the browser that they are written for."""

from __future__ import annotations

from typing import Any

import pytest

from tests.starter.dashboard.browser import Page
from tests.starter.dashboard.site import Site

pytestmark = pytest.mark.component("chromium")
CALL = """
const [module, name, given, done] = arguments;
import(`/static/${module}.js`).then((found) => done({value: found[name](...given)}), (error) => done({error: String(error)}));
"""


@pytest.fixture
def home(page: Page, site: Site) -> Page:
    page.open(site.url)
    page.one("#filters")
    return page


def call(page: Page, module: str, name: str, *given: Any) -> Any:
    """What the module's function gives for JSON values."""
    answer: dict[str, Any] = page.driver.execute_async_script(CALL, module, name, list(given))
    assert "error" not in answer, answer
    return answer["value"]


ESC, CSI, BEL = "\x1b", "\x9b", "\x07"
OUTPUT = [
    ("plain", "plain"),
    (f"{ESC}[1;31mred{ESC}[0m", "red"),
    (f"{CSI}32mgreen{CSI}m", "green"),
    (f"{ESC}]0;title{BEL}text", "text"),
    (f"{ESC}]8;;javascript:alert(1){ESC}\\link{ESC}]8;;{ESC}\\", "link"),
    (f"{ESC}]0;never ended", ""),
    (f"{ESC}P1$r0m{ESC}\\after", "after"),
    (f"cut off {ESC}[38;5", "cut off "),
    (f"cut off {ESC}", "cut off "),
    (f"{ESC}(Bcharset", "charset"),
    ("10 %\r20 %\r30 %", "30 %"),
    ("whole\r", "whole"),
    ("tab\tstays", "tab\tstays"),
    ("nul\x00 bell\x07", "nul\ufffd bell\ufffd"),
    ("abc\u202edcb", "abc\ufffddcb"),
    ("caf\u00e9 \u2713 \U0001f680", "caf\u00e9 \u2713 \U0001f680"),
]


def test_output_of_terminals(home: Page) -> None:
    assert [call(home, "ansi", "plain", raw) for raw, _ in OUTPUT] == [shown for _, shown in OUTPUT]


def test_a_scale_ends_at_a_round_number(home: Page) -> None:
    ends = {0: 1, 0.003: 0.003, 0.9: 1, 1: 1, 1.2: 1.5, 43: 50, 131: 150, 9999: 10000}
    assert [call(home, "scale", "ceiling", most) for most in ends] == pytest.approx(list(ends.values()))


def test_times_of_an_axis_are_round_and_few(home: Page) -> None:
    assert call(home, "scale", "times", 1000.5, 1061, 3) == [1020, 1050]
    for seconds in (3, 50, 700, 9000, 200_000, 3_000_000):
        found = call(home, "scale", "times", 1_700_000_003, 1_700_000_003 + seconds, 5)
        assert 1 <= len(found) <= 6, seconds
        assert all(1_700_000_003 <= at <= 1_700_000_003 + seconds for at in found)


def test_what_was_not_measured_interrupts_a_line(home: Page) -> None:
    spans = [[0, 10, 1], [10, 20, 2], [30, 40, 3], [40, 50, None]]
    drawn = call(home, "scale", "steps", spans)
    assert drawn == [[0, 1], [10, 1], [10, 2], [20, 2], [30, None], [30, 3], [40, 3], [40, None], [50, None]]


def test_the_value_at_the_pointer(home: Page) -> None:
    spans = [[0, 10, 1], [10, 20, 2], [30, 40, 3]]
    assert [call(home, "scale", "valueAt", spans, at) for at in (5, 10, 20, 25, 35, 45)] == [1, 2, 2, None, 3, None]


def test_numbers(home: Page) -> None:
    written = {0: "0", 65.1: "65.1", 75.00000001: "75", 0.00213: "0.00213", 1234.6: "1235", None: "–"}
    assert [call(home, "format", "number", value) for value in written] == list(written.values())


def test_durations(home: Page) -> None:
    written = {0: "0.0 s", 9.94: "9.9 s", 59.9: "59 s", 65: "1 min 05 s", 7620: "2 h 07 min", 273_600: "3 d 4 h", None: "–"}
    assert [call(home, "format", "duration", seconds) for seconds in written] == list(written.values())


def test_ids_become_paths(home: Page) -> None:
    assert call(home, "format", "runUrl", "local/a b/ü?#/x@1") == "/runs/local/a%20b/%C3%BC%3F%23/x%401"


def test_only_web_addresses_become_links(home: Page) -> None:
    linked = ["http://127.0.0.1:8000/x", "https://a.example/"]
    text = ["javascript:alert(1)", "data:text/html,x", "quotes.production", ""]
    assert [call(home, "format", "webAddress", address) for address in linked + text] == linked + [None] * len(text)
