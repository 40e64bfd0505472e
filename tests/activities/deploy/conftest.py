"""One Traefik per module, one installation per test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.releases import Bench
from tests.support.traefik import Traefik


@pytest.fixture(scope="module")
def traefik(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Traefik]:
    proxy = Traefik(tmp_path_factory.mktemp("traefik"))
    proxy.start()
    yield proxy
    proxy.kill()


@pytest.fixture
def bench(tmp_path: Path, traefik: Traefik) -> Iterator[Bench]:
    if traefik.process is None or traefik.process.poll() is not None:
        traefik.start()
    made = Bench(tmp_path, traefik)
    yield made
    made.stop()
    for path in traefik.routes.glob("staging_*.yml"):
        path.unlink()
