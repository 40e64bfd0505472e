"""The token that writes need: from the settings, else from the state directory, where `switchyard up` makes it."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from pipelines.errors import SettingsError
from pipelines.settings import Settings


def token_file(settings: Settings) -> Path:
    return settings.state_dir / "token"


def read_token(settings: Settings) -> str:
    """The token, or '' when there is none yet. Raises SettingsError when the file cannot be read."""
    if settings.web.token:
        return settings.web.token.get_secret_value()
    try:
        return token_file(settings).read_text().strip()
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise SettingsError(f"the token file {token_file(settings)} cannot be read: {error.strerror}") from None


def ensure_token(settings: Settings) -> str:
    """The token, made when there is none. Only its owner can read the file; two makers at once return the same one."""
    known = read_token(settings)
    if known:
        return known
    file = token_file(settings)
    file.parent.mkdir(parents=True, exist_ok=True)
    made = file.with_name(f".token-{os.getpid()}-{secrets.token_hex(4)}")
    made.touch(mode=0o600)
    made.write_text(secrets.token_urlsafe(32) + "\n")
    try:
        os.link(made, file)
    except FileExistsError:
        pass
    finally:
        made.unlink()
    return read_token(settings)
