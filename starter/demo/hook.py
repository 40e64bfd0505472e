"""GitHub's push webhook, signed as GitHub signs it."""

from __future__ import annotations

import hashlib
import hmac
import json
import uuid

import httpx

from pipelines.errors import Unavailable
from starter.demo.place import Place
from starter.demo.repository import BRANCH, REPO, Repository

NOBODY = "0" * 40


async def push(place: Place, repository: Repository, sha: str, message: str, before: str = NOBODY) -> str:
    """Deliver it to the demo's web server; gives the run's id. Raises Unavailable with what the server said."""
    body = json.dumps(
        {
            "ref": f"refs/heads/{BRANCH}",
            "before": before,
            "after": sha,
            "head_commit": {"id": sha, "message": message},
            "repository": {"full_name": REPO, "clone_url": str(repository.path), "default_branch": BRANCH},
            "sender": {"login": "ada"},
        }
    ).encode()
    headers = {
        "Content-Type": "application/json",
        "X-GitHub-Event": "push",
        "X-GitHub-Delivery": str(uuid.uuid4()),
        "X-Hub-Signature-256": "sha256=" + hmac.new(place.github_secret, body, hashlib.sha256).hexdigest(),
    }
    url = f"http://127.0.0.1:{place.settings.ports.web}/webhooks/github"
    async with httpx.AsyncClient(timeout=10, trust_env=False) as client:
        answer = await client.post(url, content=body, headers=headers)
    if answer.status_code != httpx.codes.ACCEPTED or not answer.json()["run_id"]:
        log = place.settings.layout.stack / "web.log"
        raise Unavailable(f"the webhook was answered {answer.status_code}: {answer.text[:300]}", f"The web server's log: {log}")
    return str(answer.json()["run_id"])
