from archer.errors import BackendUnavailableError
from archer.kubernetes.errors import ApiError, ClusterUnreachableError


def test_a_refusal_names_the_server_its_words_and_the_way_out() -> None:
    error = ApiError(403, "Forbidden", 'pods is forbidden:\n User "ada" cannot list', server="https://10.0.0.1")

    assert str(error) == (
        'https://10.0.0.1 refuses: pods is forbidden: User "ada" cannot list; '
        "give that identity the right by a role and its binding, or ask as another"
    )


def test_an_answer_without_words_is_still_a_sentence() -> None:
    assert str(ApiError(500, "", "")) == "the API server answers 500: no reason given"


def test_a_long_message_is_cut() -> None:
    assert len(str(ApiError(422, "Invalid", "x" * 100_000))) < 2100


def test_answers_are_told_apart_by_what_can_be_done() -> None:
    assert ApiError(404, "NotFound", "").not_found
    assert ApiError(409, "AlreadyExists", "").already_exists
    assert not ApiError(409, "Conflict", "").already_exists
    assert ApiError(410, "Expired", "").expired
    assert ApiError(429, "", "").overloaded
    assert ApiError(503, "", "").overloaded
    assert not ApiError(500, "", "").overloaded
    assert ApiError(504, "Timeout", "", details={"causes": [{"reason": "ResourceVersionTooLarge"}]}).too_new
    assert not ApiError(504, "Timeout", "").too_new


def test_a_cluster_without_an_answer_is_tried_again_by_workers() -> None:
    assert issubclass(ClusterUnreachableError, BackendUnavailableError)
