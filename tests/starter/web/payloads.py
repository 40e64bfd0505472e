"""Payloads in the shapes that GitHub and GitLab document, with values of our own, and many fields that nobody here reads."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

from tests.starter.web.conftest import GITHUB_SECRET, GITLAB_TOKEN

Payload = dict[str, Any]
ZEROS = "0" * 40


def github_headers(body: bytes, event: str, secret: str = GITHUB_SECRET) -> dict[str, str]:
    return {
        "X-GitHub-Event": event,
        "X-GitHub-Delivery": "72d3162e-cc78-11e3-81ab-4c9367dc0958",
        "X-Hub-Signature-256": "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest(),
        "User-Agent": "GitHub-Hookshot/044aadd",
        "Content-Type": "application/json",
    }


def gitlab_headers(event: str, token: str = GITLAB_TOKEN) -> dict[str, str]:
    return {
        "X-Gitlab-Event": event,
        "X-Gitlab-Token": token,
        "X-Gitlab-Event-UUID": "13792a34-cac6-4fda-95a8-c58e00a3954e",
        "Content-Type": "application/json",
    }


def dumped(payload: Payload) -> bytes:
    return json.dumps(payload).encode()


def _hub_repository(name: str = "acme/shop") -> Payload:
    return {
        "id": 186853002,
        "node_id": "MDEwOlJlcG9zaXRvcnkxODY4NTMwMDI=",
        "name": name.split("/")[1],
        "full_name": name,
        "private": False,
        "owner": {"name": "acme", "email": "dev@acme.example", "login": "acme", "id": 21031067, "type": "Organization"},
        "html_url": f"https://github.com/{name}",
        "fork": False,
        "clone_url": f"https://github.com/{name}.git",
        "ssh_url": f"git@github.com:{name}.git",
        "created_at": 1557933565,
        "pushed_at": "2026-05-15T15:20:41Z",
        "default_branch": "main",
        "topics": [],
    }


def _hub_user(login: str = "ada") -> Payload:
    return {"login": login, "id": 21031067, "type": "User", "site_admin": False, "url": f"https://api.github.com/users/{login}"}


def hub_push(sha: str, ref: str = "refs/heads/main", before: str = ZEROS, **changes: Any) -> Payload:
    commit = {
        "id": sha,
        "tree_id": "f" * 40,
        "distinct": True,
        "message": "Add the cart\n\nIt holds things.",
        "timestamp": "2026-05-15T15:20:30Z",
        "author": {"name": "Ada", "email": "ada@acme.example", "username": "ada"},
        "committer": {"name": "GitHub", "email": "noreply@github.com", "username": "web-flow"},
        "added": ["cart.py"],
        "removed": [],
        "modified": [],
    }
    return {
        "ref": ref,
        "before": before,
        "after": sha,
        "repository": _hub_repository(),
        "pusher": {"name": "ada", "email": "ada@acme.example"},
        "sender": _hub_user(),
        "created": before == ZEROS,
        "deleted": False,
        "forced": False,
        "base_ref": None,
        "compare": "https://github.com/acme/shop/compare/a...b",
        "commits": [commit],
        "head_commit": commit,
    } | changes


def hub_deletion(ref: str = "refs/heads/old") -> Payload:
    gone = {"deleted": True, "created": False, "commits": [], "head_commit": None}
    return hub_push(ZEROS, ref, before="a" * 40, **gone)


def hub_pull_request(sha: str, action: str = "opened", head_repo: str | None = "acme/shop", number: int = 2) -> Payload:
    head = {
        "label": "ada:cart",
        "ref": "cart",
        "sha": sha,
        "user": _hub_user(),
        "repo": {**_hub_repository(head_repo), "fork": head_repo != "acme/shop"} if head_repo else None,
    }
    base = {"label": "acme:main", "ref": "main", "sha": "b" * 40, "user": _hub_user("acme"), "repo": _hub_repository()}
    return {
        "action": action,
        "number": number,
        "pull_request": {
            "id": 279147437,
            "number": number,
            "state": "open",
            "title": "A cart for the shop",
            "user": _hub_user(),
            "body": "Please look.",
            "merge_commit_sha": None,
            "draft": False,
            "head": head,
            "base": base,
            "merged": False,
            "commits": 1,
            "changed_files": 1,
        },
        "repository": _hub_repository(),
        "sender": _hub_user("grace"),
    }


def hub_release(tag: str, clone_url: str, action: str = "published") -> Payload:
    return {
        "action": action,
        "release": {
            "id": 17372790,
            "tag_name": tag,
            "target_commitish": "main",
            "name": None,
            "draft": False,
            "prerelease": False,
            "author": _hub_user(),
            "assets": [],
            "body": None,
        },
        "repository": {**_hub_repository(), "clone_url": clone_url},
        "sender": _hub_user(),
    }


HUB_PING: Payload = {
    "zen": "Keep it logically awesome.",
    "hook_id": 30,
    "hook": {"type": "Repository", "id": 30, "events": ["push"], "config": {"content_type": "json"}},
    "repository": _hub_repository(),
    "sender": _hub_user(),
}


def _lab_project() -> Payload:
    return {
        "id": 15,
        "name": "shop",
        "description": "",
        "web_url": "https://gitlab.example/acme/web/shop",
        "git_ssh_url": "git@gitlab.example:acme/web/shop.git",
        "git_http_url": "https://gitlab.example/acme/web/shop.git",
        "namespace": "web",
        "visibility_level": 0,
        "path_with_namespace": "acme/web/shop",
        "default_branch": "main",
    }


def lab_push(sha: str | None, ref: str = "refs/heads/main", **changes: Any) -> Payload:
    commit = {
        "id": sha or ZEROS,
        "message": "Add the cart\n\nIt holds things.",
        "title": "Add the cart",
        "timestamp": "2026-05-15T15:20:30+02:00",
        "author": {"name": "Ada", "email": "ada@acme.example"},
        "added": ["cart.py"],
        "modified": [],
        "removed": [],
    }
    return {
        "object_kind": "push" if "heads" in ref else "tag_push",
        "event_name": "push",
        "before": "c" * 40,
        "after": sha or ZEROS,
        "ref": ref,
        "ref_protected": True,
        "checkout_sha": sha,
        "user_id": 4,
        "user_name": "Ada Lovelace",
        "user_username": "ada",
        "project_id": 15,
        "project": _lab_project(),
        "commits": [commit] if sha else [],
        "total_commits_count": 1 if sha else 0,
    } | changes


def lab_merge_request(sha: str, action: str | None = "open", source_project: int | None = 15, **changes: Any) -> Payload:
    attributes = {
        "id": 99,
        "iid": 1,
        "target_branch": "main",
        "source_branch": "cart",
        "source_project_id": source_project,
        "target_project_id": 15,
        "title": "A cart for the shop",
        "state": "opened",
        "last_commit": {"id": sha, "message": "Add the cart", "author": {"name": "Ada", "email": "ada@acme.example"}},
        "work_in_progress": False,
        **({"action": action} if action else {}),
    } | changes
    return {
        "object_kind": "merge_request",
        "event_type": "merge_request",
        "user": {"id": 1, "name": "Grace Hopper", "username": "grace", "email": "[REDACTED]"},
        "project": _lab_project(),
        "object_attributes": attributes,
        "labels": [],
        "changes": {},
    }


def lab_release(sha: str, action: str = "create") -> Payload:
    return {
        "id": 1,
        "created_at": "2026-11-02 12:55:12 UTC",
        "name": "The cart",
        "released_at": "2026-11-02 12:55:12 UTC",
        "tag": "v1.1.0",
        "object_kind": "release",
        "project": _lab_project(),
        "url": "https://gitlab.example/acme/web/shop/-/releases/v1.1.0",
        "action": action,
        "assets": {"count": 0, "links": [], "sources": []},
        "commit": {"id": sha, "message": "Release", "title": "Release", "timestamp": "2026-10-31T11:58:32+11:00"},
    }
