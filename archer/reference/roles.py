"""`archer-roles.md`: who may do what."""

from archer.auth.roles import ALLOWED, Standing, Verb
from archer.auth.tokens import CACHE_SECONDS
from archer.reference.markdown import GENERATED, member_docs, table


def roles_page() -> str:
    verbs, meanings = member_docs(Verb), member_docs(Standing)
    allowed = table(
        ("verb", *(f"{standing}" for standing in Standing)),
        [(f"`{verb}`", *("yes" if standing in ALLOWED[verb] else "" for standing in Standing)) for verb in Verb],
    )
    return f"""# Who may do what

{GENERATED}

A role is granted to a token (`archer token create`) or to a group of a proxy (`ARCHER_GROUP_ROLES`); owner and team follow
from the job. One column that says yes is enough. A refusal is 403, names what it takes, and has changed nothing. At the
local door (`ARCHER_AUTHENTICATION=none`, on loopback only) everybody may do all but make tokens over the API.

{allowed}

A list holds the jobs that one may read. A submission runs in the name of whoever sends it; another `user` takes `submit-as`.
A revoked token ends within {CACHE_SECONDS:g} seconds.

## Verbs

{table(("verb", "meaning"), [(f"`{verb}`", verbs[verb.name]) for verb in Verb])}

## Columns

{table(("column", "meaning"), [(f"{standing}", meanings[standing.name]) for standing in Standing])}
"""
