"""`archer token create`, `list` and `revoke`: over the API as an admin, or beside the server at its database.

The first token can only be made at the database, by whoever runs the server.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Final

import typer

from archer.cli.options import DEFAULT_URL, Output, Url, duration
from archer.cli.output import OutputFormat, say, write, write_columns, write_json
from archer.cli.server import Data
from archer.cli.waiting import connect
from archer.client_errors import Json

if TYPE_CHECKING:
    from archer.auth.desk import TokenDesk

HELP: Final = "Make, list and revoke tokens, which say who asks."

Direct = Annotated[
    bool,
    typer.Option(
        "--direct",
        help="Work at the database of this machine's server (--data and ARCHER_... variables), not over the API: "
        "for the first token, and for whoever runs the server.",
        show_default=False,
    ),
]


def create(
    *,
    subject: Annotated[str, typer.Option("--subject", metavar="USER", help="The user that it stands for.")],
    role: Annotated[
        list[str],
        typer.Option(
            "--role",
            metavar="ROLE",
            help="viewer, submitter:QUEUE, team:NAME, operator or admin; repeat for more than one.",
        ),
    ],
    expires_in: Annotated[
        float | None,
        typer.Option(
            "--expires-in", parser=duration, metavar="DURATION", help="How long it lasts, as 90d; for ever by default."
        ),
    ] = None,
    direct: Direct = False,
    data: Data = None,
    output: Output = OutputFormat.TABLE,
    url: Url = DEFAULT_URL,
) -> None:
    """Make a token and print its secret, once: it is kept nowhere.

    What it may do: docs/reference/archer-roles.md.
    """
    seconds = None if expires_in is None else math.ceil(expires_in)
    if direct:
        with _desk(data) as desk:
            new = desk.create(subject=subject, roles=role, expires_in_seconds=seconds)
        made: Json = {"secret": new.secret, "token": _as_json(new.token)}
    else:
        with connect(url) as client:
            made = client.create_token(subject=subject, roles=role, expires_in_seconds=seconds)
    if output is OutputFormat.JSON:
        write_json(made)
    else:
        write(f"{made['secret']}\n")
    until = made["token"]["expires_at"]
    say(f"token {made['token']['id']} for {subject}, {f'until {until}' if until else 'for ever'}; keep the secret now")


def list_tokens(
    *, direct: Direct = False, data: Data = None, output: Output = OutputFormat.TABLE, url: Url = DEFAULT_URL
) -> None:
    """List all tokens, ended ones included, without their secrets."""
    if direct:
        with _desk(data) as desk:
            found = [_as_json(token) for token in desk.tokens()]
    else:
        with connect(url) as client:
            found = client.tokens()
    if output is OutputFormat.JSON:
        write_json(found)
    elif found:
        write_columns(
            ["ID", "SUBJECT", "ROLES", "CREATED", "EXPIRES", "REVOKED"],
            [
                [
                    token["id"],
                    token["subject"],
                    ",".join(token["roles"]),
                    token["created_at"],
                    token["expires_at"] or "never",
                    token["revoked_at"] or "-",
                ]
                for token in found
            ],
        )
    else:
        say("no tokens")


def revoke(
    *,
    token: Annotated[str, typer.Argument(metavar="ID", help="The token's id: the middle part of its secret.")],
    direct: Direct = False,
    data: Data = None,
    url: Url = DEFAULT_URL,
) -> None:
    """End a token. Servers may go on to take it for some seconds."""
    if token.startswith("archer_"):
        # a whole secret in an error message or a log would be one more place where it is
        token = token.split("_")[1]
    if direct:
        with _desk(data) as desk:
            desk.revoke(token)
    else:
        with connect(url) as client:
            client.revoke_token(token)
    say(f"token {token} is revoked")


COMMANDS: Sequence[tuple[str, Callable[..., None]]] = (
    ("create", create),
    ("list", list_tokens),
    ("revoke", revoke),
)


@contextmanager
def _desk(data: object) -> "Iterator[TokenDesk]":
    # these bring the database library with them, which no other client's command needs
    from archer.auth.desk import TokenDesk  # noqa: PLC0415
    from archer.clock import SystemClock  # noqa: PLC0415
    from archer.settings import load_settings  # noqa: PLC0415
    from archer.store.migrate import open_database  # noqa: PLC0415
    from archer.store.sql import SqlStore  # noqa: PLC0415

    store = SqlStore(open_database(load_settings(data=data).database))
    try:
        yield TokenDesk(store, SystemClock())
    finally:
        store.close()


def _as_json(token: object) -> Json:
    from archer.api.answers import token_answer  # noqa: PLC0415  # as above
    from archer.store.interface import Token  # noqa: PLC0415  # as above

    assert isinstance(token, Token)
    return token_answer(token).model_dump(mode="json")
