"""The calls for tokens, of admins alone."""

from fastapi import APIRouter

from archer.api.answers import token_answer
from archer.api.bodies import NewToken
from archer.api.routes import Archer, asks
from archer.api.schemas import NewTokenAnswer, TokensAnswer

router = APIRouter(prefix="/api/v1/tokens", tags=["tokens"])


@router.post("", status_code=201, responses=asks(400, 413, 415, 422))
def create_token(archer: Archer, new: NewToken) -> NewTokenAnswer:
    """Make a token. The answer alone carries its secret."""
    made = archer.desk().create(subject=new.subject, roles=new.roles, expires_in_seconds=new.expires_in_seconds)
    return NewTokenAnswer(secret=made.secret, token=token_answer(made.token))


@router.get("", responses=asks())
def list_tokens(archer: Archer) -> TokensAnswer:
    """All tokens by id, expired and revoked ones included."""
    return TokensAnswer(tokens=[token_answer(token) for token in archer.desk().tokens()])


@router.post("/{token_id}/revoke", status_code=204, responses=asks(404, 415))
def revoke_token(archer: Archer, token_id: str) -> None:
    """End a token: on this server at once, on others within seconds. A second time changes nothing."""
    archer.desk().revoke(token_id)
