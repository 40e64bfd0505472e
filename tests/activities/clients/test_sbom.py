"""Bills of materials of Python artifacts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from activities.clients import archive
from activities.clients.sbom import python_sbom
from pipelines.errors import StepFailed

PYLOCK = """
lock-version = "1.0"
[[packages]]
name = "httpx"
version = "0.27.0"
[[packages]]
name = "local-thing"
"""
UV_LOCK = """
version = 1
[[package]]
name = "rich"
version = "13.9.4"
"""


def sbom(root: Path, files: dict[str, str], version: str = "1.0") -> dict[str, Any]:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    content = python_sbom(root, archive.select(root, ["."]) if files else [], "web", version)
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(content.decode()) is None, "it follows CycloneDX's schema"
    found: dict[str, Any] = json.loads(content)
    return found


def packages(bill: dict[str, Any]) -> set[str]:
    return {component["purl"] for component in bill.get("components", [])}


def source(bill: dict[str, Any]) -> str:
    return str(bill["metadata"]["component"]["properties"][0]["value"])


def test_requirements_with_hashes(tmp_path: Path) -> None:
    digest = "a" * 64
    bill = sbom(tmp_path, {"requirements.txt": f"flask==3.0.0 \\\n    --hash=sha256:{digest}\nclick>=8  # newer\n"})
    assert packages(bill) == {"pkg:pypi/flask@3.0.0", "pkg:pypi/click"}
    assert digest in json.dumps(bill)
    assert source(bill) == "requirements.txt"
    assert (bill["metadata"]["component"]["name"], bill["metadata"]["component"]["version"]) == ("web", "1.0")


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("pylock.toml", PYLOCK, {"pkg:pypi/httpx@0.27.0"}),
        ("sub/uv.lock", UV_LOCK, {"pkg:pypi/rich@13.9.4"}),
        ("poetry.lock", UV_LOCK, {"pkg:pypi/rich@13.9.4"}),
        ("requirements-prod.lock", "rich==13.9.4", {"pkg:pypi/rich@13.9.4"}),
        ("pyproject.toml", '[project]\nname="x"\ndependencies=["rich==13.9.4"]', {"pkg:pypi/rich@13.9.4"}),
        ("pyproject.toml", '[project]\nname="x"\ndependencies=[]', set()),
    ],
)
def test_every_kind_of_list_is_read(tmp_path: Path, name: str, text: str, expected: set[str]) -> None:
    bill = sbom(tmp_path, {name: text})
    assert packages(bill) == expected
    assert source(bill) == name


def test_what_is_installed_wins_over_what_was_asked_for(tmp_path: Path) -> None:
    metadata = "Metadata-Version: 2.1\nName: Flask\nVersion: 3.0.3\n"
    bill = sbom(
        tmp_path,
        {
            "requirements.txt": "flask>=2",
            "uv.lock": UV_LOCK,
            "lib/flask-3.0.3.dist-info/METADATA": metadata,
            "lib/broken-1.dist-info/METADATA": "nothing",
        },
    )
    assert packages(bill) == {"pkg:pypi/flask@3.0.3"}
    assert source(bill) == "installed packages"


@pytest.mark.parametrize("files", [{}, {"main.py": "print(1)"}, {"pyproject.toml": "[tool.x]\n"}])
def test_when_nothing_says_what_is_needed_the_bill_says_so(tmp_path: Path, files: dict[str, str]) -> None:
    bill = sbom(tmp_path, files, version="")
    assert packages(bill) == set()
    assert source(bill) == "none"


def test_equal_files_give_equal_bills(tmp_path: Path) -> None:
    one = sbom(tmp_path / "one", {"requirements.txt": "flask==3.0.0\n"})
    two = sbom(tmp_path / "two", {"requirements.txt": "flask==3.0.0\n"})
    assert one == two
    assert "serialNumber" not in one


def test_logins_in_addresses_are_not_told(tmp_path: Path) -> None:
    text = (
        "--index-url https://me:hunter2@index.test/simple\nthing @ https://me:hunter2@files.test/thing-1.tar.gz\nflask==3.0.0\n"
    )
    bill = sbom(tmp_path, {"requirements.txt": text})
    assert "hunter2" not in json.dumps(bill)
    assert "pkg:pypi/flask@3.0.0" in packages(bill)


def test_no_file_outside_is_read(tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("outside==1.0")
    root = tmp_path / "root"
    root.mkdir()
    (root / "requirements-linked.txt").symlink_to(tmp_path / "secret.txt")
    bill = sbom(root, {"requirements.txt": f"-r {tmp_path}/secret.txt\n-r ../secret.txt\nflask==3.0.0\n"})
    assert packages(bill) == {"pkg:pypi/flask@3.0.0"}


@pytest.mark.parametrize("name", ["uv.lock", "pyproject.toml"])
def test_a_damaged_list_is_an_error(tmp_path: Path, name: str) -> None:
    with pytest.raises(StepFailed, match=f"{name} cannot be read for the SBOM"):
        sbom(tmp_path, {name: "[[["})


def test_text_that_is_not_text_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_bytes(b"\xff\xfe\x00flask")
    with pytest.raises(StepFailed, match=r"requirements\.txt cannot be read"):
        python_sbom(tmp_path, ["requirements.txt"], "web")
