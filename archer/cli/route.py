"""`archer route`: where a submission would go just now. It takes the options of `archer submit`, and submits nothing."""

from typing import Annotated, Any

import typer

from archer.cli import submit
from archer.cli.options import DEFAULT_URL, Output, Url
from archer.cli.output import OutputFormat, say, write, write_columns, write_json
from archer.cli.waiting import connect
from archer.client_errors import Json

Explain = Annotated[
    bool,
    typer.Option("--explain", help="Show every filter and the parts of every score.", show_default=False),
]


@submit.takes_a_submission
def route(
    *, explain: Explain = False, output: Output = OutputFormat.TABLE, url: Url = DEFAULT_URL, **words: Any
) -> None:
    """Show which cluster a submission would go to just now, and why; submit nothing.

    archer route s3a://jobs/report.py --team ads --explain takes every option of `submit`, or a file with --from.
    """
    body = submit.body_of(words)
    with connect(url) as client:
        found = client.route(body)
    if output is OutputFormat.JSON:
        write_json(found)
        return
    say(found["why"])
    write(f"{found['choice'] or '-'}\n")
    if explain:
        _write_explanation(found)


def _write_explanation(found: Json) -> None:
    rows = []
    for each in found["clusters"]:
        scores = [
            (each["cluster"], part["name"], f"{part['value']:.2f} x {part['weight']:g}", part["why"])
            for part in each["parts"]
        ]
        refusals = [(each["cluster"], refusal["filter"], "refused", refusal["reason"]) for refusal in each["refusals"]]
        whole = "refused" if refusals else f"{each['score']:.2f}"
        rows += [*refusals, *scores, (each["cluster"], "score", whole, "")]
    write("\n")
    write_columns(("CLUSTER", "WHAT", "VALUE", "WHY"), rows)
