"""Debian's Chromium, driven without a screen, and what tests ask of the page that it shows."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar, cast

from selenium.common.exceptions import StaleElementReferenceException, TimeoutException
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait

from tests.support.components import absent

T = TypeVar("T")
PATIENCE = 15.0
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-extensions",
    "--disable-sync",
    "--no-first-run",
    "--no-proxy-server",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--window-size=1200,900",
)


@contextmanager
def chromium(home: Path) -> Iterator[Chrome]:
    """A browser that reaches this machine only and keeps its files in `home`; the test skips when there is none."""
    program, driver = shutil.which("chromium") or shutil.which("google-chrome"), shutil.which("chromedriver")
    if not program or not driver:
        absent("chromium and chromedriver are not installed (Debian: apt-get install chromium chromium-driver)")
    assert program
    options = ChromeOptions()
    options.binary_location = program
    for flag in (*FLAGS, f"--user-data-dir={home / 'profile'}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    started = Chrome(options, Service(driver))
    try:
        yield started
    finally:
        started.quit()


class Page:
    """The one window of the browser. Everything that waits does so at most `PATIENCE` seconds and says what it waited for."""

    def __init__(self, driver: Chrome) -> None:
        self.driver = driver

    def open(self, url: str) -> None:
        self.driver.get(url)

    def until(self, look: Callable[[], T | None], what: str, seconds: float = PATIENCE) -> T:
        """The first true answer of `look`; an element that is replaced while it looks makes it look again."""
        wait = WebDriverWait(self.driver, seconds, poll_frequency=0.05, ignored_exceptions=[StaleElementReferenceException])
        try:
            return cast(T, wait.until(lambda _: look()))
        except TimeoutException:
            raise AssertionError(
                f"after {seconds} s still not: {what}\n{self.script('return document.body.innerText')}"
            ) from None

    def all(self, css: str) -> list[WebElement]:
        return self.driver.find_elements(By.CSS_SELECTOR, css)

    def one(self, css: str) -> WebElement:
        """Waits until there is one that people can see."""
        return self.until(lambda: next((each for each in self.all(css) if each.is_displayed()), None), f"{css} is shown")

    def gone(self, css: str) -> None:
        """Waits until people see none."""
        self.until(lambda: not any(each.is_displayed() for each in self.all(css)), f"{css} is gone")

    def text(self, css: str) -> str:
        """What people can read in all that matches, at one moment."""
        seen: str = self.script(
            "return [...document.querySelectorAll(arguments[0])].map((each) => each.innerText).join(' ')", css
        )
        return seen

    def attributes(self, css: str, name: str) -> list[str | None]:
        """Of all that people can see, at one moment."""
        look = "return [...document.querySelectorAll(arguments[0])].filter((each) => each.checkVisibility())"
        values: list[str | None] = self.script(f"{look}.map((each) => each.getAttribute(arguments[1]))", css, name)
        return values

    def says(self, css: str, words: str) -> None:
        self.until(lambda: words in self.text(css), f"{css} says {words!r}")

    def click(self, css: str) -> None:
        """As a person does it: where another element covers it, that one gets the click and the test fails."""
        self.until(self.one(css).is_enabled, f"{css} may be clicked")
        self.one(css).click()

    def fill(self, css: str, words: str) -> None:
        field = self.one(css)
        field.clear()
        field.send_keys(words)

    def keys(self, *keys: str) -> None:
        ActionChains(self.driver, duration=0).send_keys(*keys).perform()

    def script(self, source: str, *given: Any) -> Any:
        return self.driver.execute_script(source, *given)

    def complaints(self) -> list[str]:
        """What the browser's console was told since it was last asked: errors, warnings and broken policies."""
        entries: list[dict[str, Any]] = self.driver.get_log("browser")  # type: ignore[no-untyped-call]
        return [f"{each['level']}: {each['message']}" for each in entries if each["level"] in ("SEVERE", "WARNING")]
