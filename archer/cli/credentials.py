"""Who the command line is: a token from `ARCHER_TOKEN` or a file, for every command that talks to a server.

There is no option for the token itself: what stands on a command line is seen by everybody on the machine, and stays in
the shell's history. The token is never printed.
"""

import inspect
import os
from collections.abc import Callable
from contextvars import ContextVar
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from archer.client_errors import RequestRefusedError

_FILE: Final = ContextVar[str | None]("token file", default=None)
_TokenFile = Annotated[
    str | None,
    typer.Option(
        "--token-file",
        envvar="ARCHER_TOKEN_FILE",
        metavar="FILE",
        help="A file that holds a token, instead of ARCHER_TOKEN.",
    ),
]


def with_token(command: Callable[..., None]) -> Callable[..., None]:
    """The command with an option --token-file, when it has --url: one that talks to a server."""
    signature = inspect.signature(command)
    if "url" not in signature.parameters:
        return command

    @wraps(command)
    def run(*, token_file: str | None, **given: Any) -> None:
        before = _FILE.set(token_file)
        try:
            command(**given)
        finally:
            _FILE.reset(before)

    option = inspect.Parameter("token_file", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=_TokenFile)
    run.__dict__["__signature__"] = signature.replace(parameters=[*signature.parameters.values(), option])
    run.__annotations__ = {**command.__annotations__, "token_file": _TokenFile}
    return run


def given_token() -> str | None:
    """The token that the present command was given; a file wins over ARCHER_TOKEN. None when there is none.

    Raises RequestRefusedError when the file can't be read.
    """
    file = _FILE.get()
    if file is None:
        return os.environ.get("ARCHER_TOKEN", "").strip() or None
    try:
        return Path(file).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "not UTF-8 text"
        message = f"`--token-file` must be a file with a token, got {file!r} ({reason})"
        raise RequestRefusedError(message, api_code="bad-token") from None
