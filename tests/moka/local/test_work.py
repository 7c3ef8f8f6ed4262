"""What is submitted: the examples with this machine's places, or somebody's own files."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from archer.submission import Submission
from moka.errors import BadInputError
from moka.local.work import examples, from_files


def test_examples_are_submissions_that_archer_accepts(tmp_path: Path) -> None:
    for work in examples(tmp_path):
        submission = Submission.model_validate(work.submission)

        assert Path(submission.application.file).is_file()
        assert work.results is not None
        arguments = submission.application.arguments
        assert str(work.results) == arguments[arguments.index("--output") + 1]
        assert work.dataset is not None
        assert arguments[arguments.index("--input") + 1] == work.dataset[-1]


def test_files_are_read_with_paths_relative_to_them(tmp_path: Path) -> None:
    (tmp_path / "job.yaml").write_text(yaml.safe_dump({"name": "mine", "application": {"file": "job.py"}}))

    first, second = from_files([tmp_path / "job.yaml", tmp_path / "job.yaml"])

    assert first.submission["application"]["file"] == str(tmp_path / "job.py")
    assert (first.name, second.name) == ("mine", "mine-2")
    assert (first.dataset, first.results) == (None, None)


def test_file_that_cannot_be_read_is_bad_input(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match=r"must be a readable file, got .*nowhere\.yaml"):
        from_files([tmp_path / "nowhere.yaml"])
