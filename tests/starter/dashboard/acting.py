"""What people do on a run's page: choose an action, give token, name and reason, confirm."""

from __future__ import annotations

from tests.starter.dashboard.browser import Page
from tests.starter.web.conftest import TOKEN

OK = "#confirm [value=ok]"
CANCEL = "#confirm [value=cancel]"
TOKEN_FIELD = "#confirm input[name=token]"


def choose(page: Page, action: str) -> None:
    """Press the button; the dialog that asks for confirmation is open then, and nothing has happened yet."""
    page.click(f"#actions button[data-action={action}]")
    page.one("dialog#confirm[open]")


def give(page: Page, token: str = TOKEN, actor: str = "ada", reason: str = "") -> None:
    """Fill in what the dialog asks for; it asks for the token once."""
    if page.all(TOKEN_FIELD)[0].is_displayed():
        page.fill(TOKEN_FIELD, token)
    page.fill("#confirm input[name=actor]", actor)
    page.fill("#confirm input[name=reason]", reason)


def act(page: Page, action: str, token: str = TOKEN, actor: str = "ada", reason: str = "") -> None:
    choose(page, action)
    give(page, token, actor, reason)
    page.click(OK)
