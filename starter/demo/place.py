"""Where the demo lives: a state directory, ports and secrets of its own, beside whatever else runs on this machine."""

from __future__ import annotations

import asyncio
import os
import secrets
import shlex
import shutil
import socket
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

from pipelines.errors import Conflict
from pipelines.settings import Ports, Settings
from starter.stack import stack
from starter.stack.ports import in_use
from starter.stack.releases import end_releases

FOLDER = "demo"
CONFIG = "switchyard.toml"
_OWN = ("SWITCHYARD_", "TEMPORAL_")


class Place:
    """`settings`: the demo's. `environment`: for `switchyard` commands that mean the demo's stack."""

    def __init__(self, settings: Settings, environment: dict[str, str], hidden: list[str]) -> None:
        self.settings = settings
        self.environment = environment
        self._hidden = hidden

    @property
    def folder(self) -> Path:
        return self.settings.state_dir

    @property
    def github_secret(self) -> bytes:
        secret = self.settings.web.github_secret
        return secret.get_secret_value().encode() if secret else b""

    def command(self, *words: str) -> str:
        """What somebody types into a shell to reach the demo's stack."""
        unset = [f"-u {name}" for name in self._hidden]
        config = f"SWITCHYARD_CONFIG={shlex.quote(str(self.folder / CONFIG))}"
        return " ".join([*(["env", *unset] if unset else []), config, "switchyard", *map(shlex.quote, words)])

    async def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """That command, carried out; whatever its exit status is."""
        command = [sys.executable, "-m", "starter.cli", *words]
        return await asyncio.to_thread(
            subprocess.run, command, env=self.environment, capture_output=True, text=True, timeout=60, check=False
        )


def prepare(settings: Settings) -> Place:
    """A new place, in the folder `demo` of the state directory; what an earlier demo left there is ended and removed.

    From here on this process's environment is the demo's: nothing of a configured cluster is touched. Raises Conflict when the
    folder is not a demo's.
    """
    folder = settings.state_dir.resolve() / FOLDER
    hidden = sorted(name for name in os.environ if name.startswith(_OWN))
    for name in hidden:
        del os.environ[name]
    os.environ |= {"SWITCHYARD_CONFIG": str(folder / CONFIG), "TEMPORAL_CONFIG_FILE": str(folder / "temporal.toml")}
    _clear(folder)
    folder.mkdir(parents=True)
    (folder / "temporal.toml").touch()
    _write_config(folder, _ports(settings.ports))
    return Place(Settings(), dict(os.environ), hidden)


def end(place: Place, tell: stack.Tell = lambda text: None) -> None:
    """Stop everything that the demo started, released services too."""
    stack.down(place.settings, tell=tell)
    end_releases(place.settings, tell)


def _clear(folder: Path) -> None:
    if not folder.exists():
        return
    if not (folder / CONFIG).exists() and any(folder.iterdir()):
        raise Conflict(f"{folder} was not made by a demo", "Move it away, or set SWITCHYARD_STATE_DIR to another directory")
    if (folder / CONFIG).exists():
        earlier = Settings()
        stack.down(earlier)
        end_releases(earlier)
    shutil.rmtree(folder)


def _write_config(folder: Path, ports: Ports) -> None:
    """Readable by its owner only: the webhook's secret is in it."""
    numbers = "\n".join(f"{name} = {port}" for name, port in ports.model_dump().items())
    text = f'state_dir = "{folder}"\n\n[ports]\n{numbers}\n\n[web]\ngithub_secret = "{secrets.token_hex(20)}"\n'
    file = os.open(folder / CONFIG, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(file, "w") as config:
        config.write(text)


def _ports(wanted: Ports) -> Ports:
    """The configured ones when all are free, else others that are."""
    if not any(in_use(port) for port in wanted.model_dump().values()):
        return wanted
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in Ports.model_fields]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return Ports(**{name: each.getsockname()[1] for name, each in zip(Ports.model_fields, sockets, strict=True)})
