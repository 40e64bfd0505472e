"""One live stack for each module: booted by `switchyard up`, ended with everything that it released."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.live_stack import LiveStack
from tests.support.shop import Shop


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[LiveStack]:
    """A module's ENV, if it has one, is in the environment of all that is started."""
    live = LiveStack(tmp_path_factory.mktemp("live"), getattr(request.module, "ENV", {}))
    try:
        live.up()
        yield live
    finally:
        live.down()


@pytest.fixture
def shop(stack: LiveStack, request: pytest.FixtureRequest, tmp_path: Path) -> Shop:
    """A service that is the test's own."""
    stack.up()
    words = re.sub(r"[^a-z0-9]+", "-", request.node.name.removeprefix("test_").lower())
    name = f"{words[:24].strip('-')}-{secrets.token_hex(3)}"
    return Shop(stack, name, tmp_path)
