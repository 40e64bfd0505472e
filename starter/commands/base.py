"""What all commands share: options, settings, the connection, and how answers and errors are given."""

from __future__ import annotations

import asyncio
import getpass
import json
import os
import sys
import tomllib
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, TypeVar

import typer
from pydantic import BaseModel, ValidationError
from pydantic_settings import SettingsError as SourceError
from typer.core import TyperGroup

from pipelines.errors import SettingsError, SwitchyardError, wrong_fields
from pipelines.settings import Settings
from starter import exit_codes

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from temporalio.client import Client

T = TypeVar("T")

Json = Annotated[bool, typer.Option("--json", help="Answer as JSON, for scripts.")]
Ref = Annotated[str, typer.Argument(metavar="RUN", help="Run id, beginning of the commit, owner/name@commit, or rollout id.")]
Stage = Annotated[str, typer.Option("--stage", "-s", help="Which stage, when it is not the only one.")]
Reason = Annotated[str, typer.Option("--reason", "-m", help="Why; it goes into the audit trail.")]
By = Annotated[str, typer.Option("--by", envvar="SWITCHYARD_ACTOR", help="Who asks. Default: your login name.")]


class Commands(TyperGroup):
    """The one place where errors meant for people become a message and an exit status, without a traceback."""

    def main(self, args: Sequence[str] | None = None, *rest: Any, **options: Any) -> Any:
        given = list(sys.argv[1:] if args is None else args)
        try:
            return super().main(given, *rest, **options)
        except SwitchyardError as error:
            _fail(error, as_json="--json" in given)


def _fail(error: SwitchyardError, *, as_json: bool) -> NoReturn:
    if as_json:
        what = {"error": type(error).__name__, "message": error.message, "remedy": error.remedy}
        print(json.dumps(what), file=sys.stderr)
    else:
        print(f"switchyard: {error}", file=sys.stderr)
    sys.exit(exit_codes.of_error(error))


def load_settings() -> Settings:
    """Raises SettingsError that names each wrong setting, without its value, which may be a secret."""
    try:
        return Settings()
    except ValidationError as error:
        wrong = wrong_fields(error.errors(include_input=False))
        raise SettingsError(f"settings are wrong: {wrong}", "See 'switchyard config' and the SWITCHYARD_ variables") from None
    except SourceError as error:
        raise SettingsError(str(error), "Nested settings are written SWITCHYARD_PORTS__WEB=8080") from None
    except (tomllib.TOMLDecodeError, OSError) as error:
        raise SettingsError(
            f"the settings file cannot be read: {error}", "It is SWITCHYARD_CONFIG or ./switchyard.toml"
        ) from None


def ask(work: Callable[[Client], Awaitable[T]], settings: Settings | None = None) -> T:
    """Connect to Temporal, do the work, return its answer. Raises Unavailable."""
    from starter.client import connect

    async def connected() -> T:
        return await work(await connect(settings or load_settings()))

    return asyncio.run(connected())


def actor(given: str) -> str:
    """Who asks: as said, else the login name."""
    if given:
        return given
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid-{os.getuid()}"


def as_data(value: Any) -> Any:
    """Plain data for JSON, from models in lists and dictionaries."""
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, list | tuple):
        return [as_data(each) for each in value]
    if isinstance(value, dict):
        return {key: as_data(each) for key, each in value.items()}
    return value


def give(value: Any, as_json: bool, show: Callable[[], RenderableType]) -> None:
    """The answer: `value` as JSON on standard output, or what `show` makes for people."""
    if as_json:
        print(json.dumps(as_data(value), indent=2))
        return
    shown = show()
    if isinstance(shown, str):
        print(shown)
    else:
        console().print(shown)


def console() -> Console:
    """Made late: Rich costs a tenth of a second that JSON does not need. Wide when it is no terminal, so that nothing is cut."""
    from rich.console import Console

    return Console(highlight=False, width=None if sys.stdout.isatty() else 200)
