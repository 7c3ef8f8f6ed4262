"""Long texts of attempts: the end of a driver's log, whole, where a history entry has room for a sentence.

They lie packed in a table of their own, so that they cost nothing to those who read jobs and attempts.
"""

import zlib
from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, select

from archer.store.interface import MAX_TEXT_CHARACTERS
from archer.store.schema import attempt_texts
from archer.store.upserts import upsert

PackedTexts = Mapping[str, bytes]
"""By kind."""


def pack(texts: Mapping[str, str]) -> PackedTexts:
    """Their ends, made small; done before a transaction begins, as it takes milliseconds."""
    return {kind: zlib.compress(text[-MAX_TEXT_CHARACTERS:].encode("utf-8", "replace")) for kind, text in texts.items()}


def write_texts(connection: Connection, texts: Sequence[tuple[str, int, PackedTexts]]) -> None:
    """Of (job id, attempt); a later text takes the place of an earlier one of its kind."""
    rows = [
        {"job_id": job_id, "attempt": attempt, "kind": kind, "body": body}
        for job_id, attempt, packed in texts
        for kind, body in packed.items()
    ]
    upsert(connection, attempt_texts, rows)


def read_text(connection: Connection, job_id: str, attempt: int, kind: str) -> str | None:
    table = attempt_texts
    body: bytes | None = connection.execute(
        select(table.c.body).where(table.c.job_id == job_id, table.c.attempt == attempt, table.c.kind == kind)
    ).scalar_one_or_none()
    return None if body is None else zlib.decompress(body).decode()
