"""Errors become pages in words; what nobody foresaw says nothing of its inside."""

from archer.errors import IllegalMoveError, InvalidQueryError, NotFoundError, Problem, StoreUnavailableError
from archer.web.failures import error_page


def test_each_error_has_its_status_and_words() -> None:
    problem = Problem(path="state", value='"<b>"', allowed="known", fix="choose one")

    pages = [
        error_page(NotFoundError("job", "<i>")),
        error_page(InvalidQueryError([problem])),
        error_page(StoreUnavailableError("disk full")),
        error_page(IllegalMoveError("a job can't go from A to B")),
    ]

    assert [page.status_code for page in pages] == [404, 422, 503, 500]
    texts = [bytes(page.body).decode() for page in pages]
    assert "There is no job &#39;&lt;i&gt;&#39;" in texts[0]
    assert "<code>state</code> must be known, got &#34;&lt;b&gt;&#34;; choose one" in texts[1]
    assert "The job store is unavailable (disk full)" in texts[2]
    assert "A to B" not in texts[3]
