"""Settings from the environment (SWITCHYARD_…) and one file; the environment wins.

The file is the one named by SWITCHYARD_CONFIG, else ./switchyard.toml. Temporal's own connection (address, mTLS, API key) is
Temporal's envconfig: TEMPORAL_ADDRESS, TEMPORAL_PROFILE and its file.
"""

from __future__ import annotations

import os
from pathlib import Path

from pydantic import BaseModel, Field, SecretStr
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from pipelines.layout import Layout


class Ports(BaseModel):
    """TCP ports of the local stack, all on 127.0.0.1."""

    temporal: int = 7233
    temporal_ui: int = 8233
    web: int = 8080
    proxy: int = 8000
    preview: int = 8001
    proxy_admin: int = 8002


class Web(BaseModel):
    host: str = "127.0.0.1"
    public_url: str = Field("", description="address that links use; default: made from host and port")
    token: SecretStr | None = Field(None, description="needed for every write; made by `switchyard up` when absent")
    github_secret: SecretStr | None = None
    gitlab_token: SecretStr | None = None
    max_body: int = Field(5_000_000, description="bytes of a webhook's body")


class WorkerSettings(BaseModel):
    host_id: str = Field("", description="name of this host's own task queue; default: made from host name and state_dir")
    max_activities: int = 40
    max_workflow_tasks: int = 40
    graceful_shutdown: float = Field(20.0, description="seconds that activities in flight get on SIGTERM")
    heartbeat_throttle: float = Field(1.0, description="seconds; bounds how soon an abort reaches a process")


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="SWITCHYARD_", env_nested_delimiter="__", extra="forbid")

    state_dir: Path = Field(default_factory=lambda: Path.home() / ".local" / "state" / "switchyard")
    database_url: SecretStr | None = Field(None, description="SQLAlchemy URL; default: SQLite in state_dir")
    prometheus_url: str = ""
    prometheus_step: float = Field(
        30.0, gt=0, description="seconds between points of a series, at least; twice the scrape interval, so that rate() has data"
    )
    ports: Ports = Ports()
    web: Web = Web()
    worker: WorkerSettings = WorkerSettings()
    temporal_namespace: str = "default"
    temporal_ui_url: str = Field("", description="default: the local stack's")
    proxy_host: str = "127.0.0.1"
    offline: bool = Field(False, description="do not try services on the internet, such as the vulnerability database")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        file = Path(os.environ.get("SWITCHYARD_CONFIG", "switchyard.toml"))
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, toml_file=file)

    @property
    def layout(self) -> Layout:
        return Layout(self.state_dir)

    @property
    def database(self) -> str:
        """SQLAlchemy URL; may hold a password, so never print it."""
        if self.database_url:
            return self.database_url.get_secret_value()
        return f"sqlite:///{self.layout.database}"

    @property
    def web_url(self) -> str:
        return self.web.public_url or f"http://{self.web.host}:{self.ports.web}"

    @property
    def ui_url(self) -> str:
        return self.temporal_ui_url or f"http://127.0.0.1:{self.ports.temporal_ui}"
