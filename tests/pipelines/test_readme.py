"""What the README shows is what the product takes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pipelines.builtins import BUILTINS
from pipelines.load import load_pipeline
from pipelines.settings import Settings

README = (Path(__file__).parents[2] / "README.md").read_text()


def _blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def test_there_is_an_example() -> None:
    assert len(_blocks("yaml")) >= 1


@pytest.mark.parametrize("text", _blocks("yaml"))
def test_every_example_is_a_valid_pipeline(text: str) -> None:
    pipeline = load_pipeline(text, "README.md")
    assert pipeline.stages["production"].rollout is not None


def test_every_check_that_it_names_exists() -> None:
    paragraph = README[README.index("built-in checks (`uses`)") : README.index("and more")]
    named = re.findall(r"`([a-z/-]+)`", paragraph)[1:]
    assert len(named) > 8
    assert set(named) <= set(BUILTINS)


def test_every_setting_that_it_names_exists(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in re.findall(r"`(SWITCHYARD_[A-Z_]+)`", README):
        monkeypatch.setenv(name, "1")
    assert Settings().ports.temporal == 1


def test_every_command_that_it_names_exists() -> None:
    from typer.main import get_command

    from starter.cli import app

    known = set(get_command(app).commands)  # type: ignore[attr-defined]
    named = set(re.findall(r"^\$ switchyard ([a-z]+)", README, re.MULTILINE)) | set(re.findall(r"`switchyard ([a-z]+)", README))
    assert {"up", "run", "approve", "rollback"} <= named
    assert named <= known


def test_every_make_target_that_it_names_exists() -> None:
    makefile = (Path(__file__).parents[2] / "Makefile").read_text()
    for target in re.findall(r"make ([a-z]+)", README):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
