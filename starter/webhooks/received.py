"""What all webhooks share: reading a payload, and the answer to it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar
from urllib.parse import parse_qs, quote

from fastapi import Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field, SecretStr, ValidationError

from pipelines.errors import Denied, Unavailable, UserError, wrong_fields
from pipelines.messages.common import RunRequest
from starter import runs
from starter.api.problems import problem
from starter.api.site import Site
from starter.runs import Started
from starter.webhooks.tags import commit_of_tag

START_SECONDS = 5.0
"""Providers give up after ten; what was not confirmed by then is delivered again, and is still one run."""
_FORM = "application/x-www-form-urlencoded"

Sha = Annotated[str, Field(pattern=r"^[0-9a-f]{40}$")]
RepoName = Annotated[str, Field(pattern=r"^[^/\s'\"\\@]+(/[^/\s'\"\\@]+)+$", description="owner/name")]
Text = Annotated[str, Field(min_length=1)]
P = TypeVar("P", bound=BaseModel)


@dataclass(frozen=True)
class Ignored:
    """An event that starts no run, and why."""

    reason: str


@dataclass(frozen=True)
class Provider:
    """`event` and `delivery` are the headers that name them; `readers`: by event, what makes a run of its payload."""

    name: str
    event: str
    delivery: str
    readers: Mapping[str, Callable[[bytes], RunRequest | Ignored]]

    def interpret(self, event: str, payload: bytes) -> RunRequest | Ignored:
        """The run that an event asks for; its `sha` is '' where only a tag is known. Raises UserError for a wrong payload."""
        if not event:
            raise UserError(f"the header {self.event} is missing", f"Is this {self.name}'s own webhook?")
        reader = self.readers.get(event)
        return reader(payload) if reader else Ignored(f"the event '{event[:60]}' starts no run; {', '.join(self.readers)} do")

    async def take(self, site: Site, request: Request, body: bytes) -> JSONResponse:
        """The answer to a report whose proof is right."""
        wanted = self.interpret(request.headers.get(self.event, ""), await payload_of(request, body))
        if isinstance(wanted, RunRequest):
            wanted = wanted.model_copy(update={"delivery": request.headers.get(self.delivery, "")[:100]})
        return await answer(site, wanted)


class NoSecret(Unavailable):
    """The webhook cannot be checked, because nobody has configured its secret."""


class WrongProof(Denied):
    """The signature or token is missing or wrong."""


def secret_of(configured: SecretStr | None, variable: str) -> bytes:
    """Raises NoSecret without one: an unsigned webhook is never believed."""
    value = configured.get_secret_value() if configured else ""
    if not value:
        raise NoSecret("this webhook has no secret configured", f"Set {variable} to the secret given to the provider")
    return value.encode()


def refusal(error: NoSecret | WrongProof) -> JSONResponse:
    """503 without Retry-After, because waiting does not help; 401."""
    return problem(503 if isinstance(error, NoSecret) else 401, error.message, error.remedy)


async def payload_of(request: Request, body: bytes) -> bytes:
    """The JSON text; GitHub sends it in a form unless told otherwise."""
    if not request.headers.get("content-type", "").startswith(_FORM):
        return body
    fields = parse_qs(body, max_num_fields=10)
    return next(iter(fields.get(b"payload", [])), b"")


def parse(model: type[P], payload: bytes) -> P:
    """Raises UserError that names each field that is missing or wrong."""
    try:
        return model.model_validate_json(payload)
    except ValidationError as error:
        wrong = wrong_fields(error.errors(include_input=False, include_url=False), whole="the body")
        raise UserError(f"the payload cannot be used: {wrong}", "Is this the provider's own webhook, sent as JSON?") from None


async def answer(site: Site, wanted: RunRequest | Ignored) -> JSONResponse:
    """202 {run_id, started, url} right after the durable start, or 202 with the reason why there is no run.

    Raises Unavailable when Temporal has not confirmed the start in time, SourceError when a release's tag cannot be found.
    """
    if isinstance(wanted, Ignored):
        return JSONResponse({"run_id": "", "started": False, "url": "", "reason": wanted.reason}, 202)
    request = wanted if wanted.sha else wanted.model_copy(update={"sha": await commit_of_tag(wanted.clone_url, wanted.tag or "")})
    started = await _started(site, request)
    url = f"{site.settings.web_url}/runs/{quote(started.run_id, safe='/@')}"
    return JSONResponse({"run_id": started.run_id, "started": not started.already, "url": url}, 202)


async def _started(site: Site, request: RunRequest) -> Started:
    try:
        async with asyncio.timeout(START_SECONDS):
            return await runs.start(await site.client(), request)
    except TimeoutError:
        raise Unavailable("Temporal has not confirmed the start in time", "Deliver it again; it will be one run") from None


def pushed(ref: str, before: str, default_branch: str) -> dict[str, Any] | Ignored:
    """Fields of the run of a push to `ref` (refs/heads/… or refs/tags/…), which was at the commit `before`."""
    kind, _, name = ref.removeprefix("refs/").partition("/")
    if kind not in ("heads", "tags") or not name:
        return Ignored(f"{ref} is neither a branch nor a tag")
    if kind == "tags":
        return {"branch": "", "tag": name, "ref": f"tag-{name}"}
    return {"branch": name, "base_sha": known_commit(before), "ref": branch_ref(name, default_branch)}


def branch_ref(branch: str, default_branch: str) -> str:
    """What sets a push to a branch apart: nothing for the default branch, whose run is the commit's plain one."""
    return "" if not default_branch or branch == default_branch else f"branch-{branch}"


def first_line(text: str) -> str:
    return text.strip().partition("\n")[0][:200]


def known_commit(sha: str) -> str | None:
    """None for the zeros that stand for 'there was none'."""
    return sha if sha.strip("0") else None
