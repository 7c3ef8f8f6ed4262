"""Makes the checks one after the other and turns their verdicts into a report.

The account's check comes first, whatever `only` says: against another account every other answer would be about the wrong
thing, so nothing else is asked then.
"""

from collections.abc import Iterable, Iterator
from datetime import date

from environments import Environment
from moka.errors import BadInputError, MokaError
from moka.preflight.aws import Aws
from moka.preflight.check import Check, Context, ImageSource, unanswered
from moka.preflight.checks import CHECKS, account
from moka.preflight.failures import CallFailedError, UnreachableError
from moka.preflight.rows import Report, Row, State, Verdict, passed


def chosen(only: Iterable[str]) -> tuple[Check, ...]:
    """Return the checks of these names, all for none. Raises BadInputError for a name that no check has."""
    names = tuple(only)
    known = [check.name for check in CHECKS]
    strange = [name for name in names if name not in known]
    if strange:
        raise BadInputError(f"`--only` must be one of {', '.join(known)}, got {', '.join(strange)}")
    return tuple(check for check in CHECKS if not names or check.name in names)


def preflight(
    environment: Environment,
    aws: Aws,
    *,
    file: str,
    today: date,
    images: ImageSource,
    only: Iterable[str] = (),
) -> Report:
    """Return what the checks find.

    Raises BadInputError for an unknown check, CredentialsError when AWS accepts no credentials, and MokaError when nothing
    of AWS can be reached. What fails later costs its own row.
    """
    wanted = [check for check in chosen(only) if check is not account.CHECK]

    def made(check: Check) -> tuple[Row, ...]:
        reader = aws.reader(check.calls)
        context = Context(environment=environment, file=file, aws=reader, today=today, images=images)
        return tuple(Row(check=check.name, verdict=verdict) for verdict in _verdicts(check, context))

    try:
        rows = made(account.CHECK)
    except UnreachableError as error:
        raise MokaError(
            f"AWS cannot be reached: {error.message}; check the network, the proxy and the region"
        ) from error
    matches = all(row.verdict.state is State.PASS for row in rows)
    if matches:
        rows += tuple(row for check in wanted for row in made(check))
    return Report(
        environment=environment.name,
        account=environment.account,
        region=environment.region,
        rows=rows,
        not_made=() if matches else tuple(check.name for check in wanted),
    )


def _verdicts(check: Check, context: Context) -> Iterator[Verdict]:
    """Yield the check's verdicts; one that has nothing to look at says so."""
    count = 0
    try:
        for verdict in check.run(context):
            count += 1
            yield verdict
    except UnreachableError:
        raise
    except CallFailedError as error:
        yield unanswered(check.name, error)
        return
    if count == 0:
        yield passed(check.name, "nothing declared to look at")
