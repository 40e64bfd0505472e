"""The witness of the audit chain in a file."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from activities.records import Witness
from activities.records.witness import read_witness, write_witness
from pipelines.errors import IntegrityError


def seen(count: int) -> Witness:
    return Witness(count=count, hash=f"{count:064x}")


def test_what_was_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "state" / "witness.json"
    assert read_witness(path) is None
    write_witness(path, seen(3))
    assert read_witness(path) == seen(3)


def test_the_longest_chain_stays_whoever_writes_last(tmp_path: Path) -> None:
    path = tmp_path / "witness.json"
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda count: write_witness(path, seen(count)), [5, 40, 3, 39, 1, 17, 40, 2] * 4))
    assert read_witness(path) == seen(40)
    assert [entry.name for entry in tmp_path.iterdir() if entry.name.endswith(".new")] == []


@pytest.mark.parametrize("content", ["", "{", '{"count": "many"}', "[]"])
def test_a_damaged_witness_is_said_to_be_one(tmp_path: Path, content: str) -> None:
    path = tmp_path / "witness.json"
    path.write_text(content)
    with pytest.raises(IntegrityError, match="does not hold a witness"):
        read_witness(path)
