"""How runs and rollouts are named in paths. Their ids have slashes, so a plain path parameter would swallow what comes behind."""

from __future__ import annotations

from starlette.convertors import Convertor, register_url_convertor


class _Run(Convertor[str]):
    """Provider/owner/name/commit/pipeline, the beginning of a commit, or owner/name@commit."""

    regex = r"(?:[^/]+/.+/(?:[0-9a-f]{64}|[0-9a-f]{40})/[^/]+|[0-9a-f]{4,64}|[^@/]+/[^@]+@[0-9a-f]{4,64})"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


class _Rollout(_Run):
    regex = r"rollout/[^/]+/[^/]+/[^/]+"


register_url_convertor("run", _Run())
register_url_convertor("rollout", _Rollout())

RUN = "/api/runs/{ref:run}"
ROLLOUT = "/api/rollouts/{ref:rollout}"
