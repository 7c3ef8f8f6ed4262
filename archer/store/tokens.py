"""Tokens of the door. Only digests are here: whoever reads the database can't use them."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, or_, select, update

from archer.clock import from_ms, to_ms
from archer.errors import ConflictError, NotFoundError
from archer.store.interface import Token
from archer.store.rows import milliseconds, moment
from archer.store.schema import tokens


def insert_token(connection: Connection, token: Token) -> None:
    """Raises ConflictError when the id or the digest is taken."""
    taken = select(tokens.c.id).where(or_(tokens.c.id == token.id, tokens.c.digest == token.digest))
    if connection.execute(taken).first() is not None:
        raise ConflictError(f"a token {token.id!r} or with this secret exists; choose another name")
    connection.execute(
        insert(tokens).values(
            id=token.id,
            digest=token.digest,
            subject=token.subject,
            roles=list(token.roles),
            created_at=to_ms(token.created_at),
            expires_at=milliseconds(token.expires_at),
            revoked_at=milliseconds(token.revoked_at),
        )
    )


def find_token(connection: Connection, digest: str) -> Token | None:
    row = connection.execute(select(tokens).where(tokens.c.digest == digest)).one_or_none()
    return None if row is None else _to_token(row)


def list_tokens(connection: Connection) -> list[Token]:
    return [_to_token(row) for row in connection.execute(select(tokens).order_by(tokens.c.id))]


def revoke(connection: Connection, token_id: str, *, at: datetime) -> None:
    """The first moment stays."""
    revoked_at = connection.execute(select(tokens.c.revoked_at).where(tokens.c.id == token_id)).one_or_none()
    if revoked_at is None:
        raise NotFoundError("token", token_id)
    connection.execute(
        update(tokens).where(tokens.c.id == token_id, tokens.c.revoked_at.is_(None)).values(revoked_at=to_ms(at))
    )


def _to_token(row: Row[Any]) -> Token:
    return Token(
        id=row.id,
        digest=row.digest,
        subject=row.subject,
        roles=tuple(row.roles),
        created_at=from_ms(row.created_at),
        expires_at=moment(row.expires_at),
        revoked_at=moment(row.revoked_at),
    )
