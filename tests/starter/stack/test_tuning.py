"""The flags reach a real server: it has the search attributes, and its SQLite file is in WAL mode."""

import sqlite3

from temporalio.api.operatorservice.v1 import ListSearchAttributesRequest
from temporalio.client import Client

from pipelines.attributes import KEYWORDS
from tests.support.temporal import running_server


async def test_server_has_the_search_attributes(client: Client) -> None:
    answer = await client.operator_service.list_search_attributes(ListSearchAttributesRequest(namespace="default"))
    assert set(KEYWORDS) <= set(answer.custom_attributes)


def test_a_killed_server_comes_back_with_its_data_in_wal_mode(tmp_path) -> None:
    with running_server(tmp_path) as server:
        server.kill()
        server.start()
        with sqlite3.connect(tmp_path / "temporal.db") as database:
            assert database.execute("pragma journal_mode").fetchone() == ("wal",)
