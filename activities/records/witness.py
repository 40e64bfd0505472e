"""A witness of the audit chain in a file, out of reach for who changes the database: it makes a cut end of the chain show."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from activities.records.audit_chain import Witness
from pipelines.errors import IntegrityError


def read_witness(path: Path) -> Witness | None:
    """What was seen last; None: nothing yet. Raises IntegrityError when the file does not hold a witness."""
    try:
        return Witness.model_validate_json(path.read_text())
    except FileNotFoundError:
        return None
    except ValueError:
        raise IntegrityError(f"{path} does not hold a witness of the audit chain", "Restore it from a backup") from None


def write_witness(path: Path, seen: Witness) -> None:
    """Replace an older one; several processes may do so at once, and the longest chain that was seen stays."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_name(f"{path.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        known = read_witness(path)
        if known is not None and known.count >= seen.count:
            return
        new = path.with_name(f"{path.name}.new")
        with new.open("w") as file:
            file.write(seen.model_dump_json())
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
