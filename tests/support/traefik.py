"""A real Traefik on free ports, started as `switchyard up` starts it, that can be killed and started again."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import httpx
import yaml

from activities.clients.addresses import Addresses
from activities.clients.traefik_api import TraefikApi
from pipelines.settings import Ports
from pipelines.traefik import static_config
from tests.support.components import program
from tests.support.ports import free_ports


class Traefik:
    """`routes` is the folder it watches."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.routes = folder / "routes"
        self.routes.mkdir(parents=True, exist_ok=True)
        proxy, preview, admin = free_ports(3)
        self.ports = Ports(proxy=proxy, preview=preview, proxy_admin=admin)
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def admin(self) -> str:
        return f"http://127.0.0.1:{self.ports.proxy_admin}"

    @property
    def addresses(self) -> Addresses:
        return Addresses("127.0.0.1", self.ports.proxy, self.ports.preview)

    def api(self) -> TraefikApi:
        return TraefikApi(self.admin)

    def start(self, seconds: float = 20.0) -> None:
        config = self.folder / "traefik.yml"
        config.write_text(yaml.safe_dump(static_config(self.ports, self.routes.resolve())))
        with (self.folder / "traefik.log").open("ab") as log:
            self.process = subprocess.Popen([program("traefik"), f"--configFile={config}"], stdout=log, stderr=log)
        deadline = time.monotonic() + seconds
        while not self._answers():
            if time.monotonic() > deadline or self.process.poll() is not None:
                raise RuntimeError(f"Traefik did not start:\n{(self.folder / 'traefik.log').read_text()[-3000:]}")
            time.sleep(0.02)

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.admin}/ping", timeout=1, trust_env=False).status_code == 200
        except httpx.HTTPError:
            return False

    def kill(self) -> None:
        """SIGKILL, as in a crash."""
        if self.process:
            self.process.kill()
            self.process.wait()
