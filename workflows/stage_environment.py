"""The environment variables of a step: facts of the run, then what the pipeline and the stage say."""

from __future__ import annotations

from workflows.run_book import Page, RunBook


def step_environment(book: RunBook, page: Page) -> dict[str, str]:
    """Later ones win: facts, pipeline, matrix, stage. Secrets are not among them."""
    request, commit = book.request, book.commit
    facts = {
        "SWITCHYARD_RUN": book.run_id,
        "SWITCHYARD_REPO": request.repo,
        "SWITCHYARD_SHA": commit.sha,
        "SWITCHYARD_BRANCH": request.branch,
        "SWITCHYARD_EVENT": request.event,
        "SWITCHYARD_VERSION": commit.version,
        "SWITCHYARD_STAGE": page.name,
        "SWITCHYARD_SERVICE": commit.pipeline.service,
        "SWITCHYARD_ENVIRONMENT": page.instance.stage.environment or "",
        "SWITCHYARD_URL": page.address,
    }
    known = {name: value for name, value in facts.items() if value}
    return {**known, **commit.pipeline.env, **page.instance.env, **page.instance.stage.env}
