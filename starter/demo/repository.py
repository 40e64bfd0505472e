"""The demo's service in a Git repository of its own: a first version, a good one, and a bad one that its tests do not catch."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources
from pathlib import Path

BRANCH = "main"
REPO = "demo/quotes"
AUTHOR = ("Ada Example", "ada@example.com")

_PYPROJECT = """[tool.ruff]
line-length = 120

[tool.coverage.report]
omit = ["app/__main__.py"]
exclude_also = ["def serve"]
"""
_TEMPLATES = {
    ".switchyard.yml": "pipeline.yml",
    "app/server.py": "app.py.txt",
    "app/prices.py": "prices.py.txt",
    "tests/unit/test_quotes.py": "test_quotes.py.txt",
    "tests/unit/test_server.py": "test_server.py.txt",
    "tests/integration/test_process.py": "test_process.py.txt",
    "tests/e2e/test_staging.py": "test_staging.py.txt",
}
_WRITTEN = {
    "app/__init__.py": "",
    "app/__main__.py": "from app.server import serve\n\nserve()\n",
    "conftest.py": "",
    "requirements.txt": "pytest\npytest-cov\n",
    "pyproject.toml": _PYPROJECT,
    ".gitignore": ".venv/\n__pycache__/\n",
    "README.md": "# Quotes\n\nA small service for `switchyard demo`.\n",
}
_EVICTS = "            self._seen.pop(next(iter(self._seen)))\n"
_FULL = '            raise OverflowError("the price book is full")\n'


class Repository:
    """`path` is what the webhook gives as clone URL."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def first(self) -> str:
        """The service as it was; gives the commit."""
        from git import Repo

        self.path.mkdir(parents=True)
        Repo.init(self.path, initial_branch=BRANCH).close()
        return self._commit(
            "Quotes: the price of a symbol", _WRITTEN | {name: _template(each) for name, each in _TEMPLATES.items()}
        )

    def good(self) -> str:
        """One more symbol."""
        return self._commit(
            "One more symbol", {"app/prices.py": self._prices('"INITECH": 7.0', '"INITECH": 7.0, "HOOLI": 310.0')}
        )

    def bad(self) -> str:
        """Forgets no order any more, and has room for 25: every test passes, and only traffic shows it."""
        kept = self._prices(">= 1000", ">= 25").replace(_EVICTS, _FULL)
        return self._commit("Keep every order's price", {"app/prices.py": kept})

    def _prices(self, old: str, new: str) -> str:
        return (self.path / "app/prices.py").read_text().replace(old, new)

    def _commit(self, message: str, files: Mapping[str, str]) -> str:
        from git import Actor, Repo

        for name, text in files.items():
            file = self.path / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        with Repo(self.path) as repo:
            repo.git.add(all=True)
            return repo.index.commit(message, author=Actor(*AUTHOR), committer=Actor(*AUTHOR)).hexsha


def _template(name: str) -> str:
    return resources.files("starter.demo").joinpath("template", name).read_text()
