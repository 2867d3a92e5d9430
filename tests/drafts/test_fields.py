import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

import heygen_nb
from heygen_nb.drafts import FIELDS
from heygen_nb.drafts.fields import WORDS, field_of
from heygen_nb.errors import DraftError
from heygen_nb.ledger.tables import DraftRow
from heygen_nb.models import Draft

PACKAGE = Path(heygen_nb.__file__).parent


def test_every_field_of_a_draft_has_a_label():
    assert set(FIELDS) == set(Draft.model_fields)
    assert all(field.title for field in FIELDS.values())


@pytest.mark.parametrize(
    ("heading", "field"),
    [
        ("Подпись", "caption"),
        ("ТЕМА", "title"),
        ("Сценарий", "script"),
        (" голос ", "voice"),
        ("Topic", "title"),
        ("Voice-over", "script"),
        ("voice_id", "voice"),
        ("Duration (s)", "duration"),
        ("script", "script"),
        ("phone", ""),
        ("", ""),
    ],
)
def test_headings_in_the_users_words_mean_fields(heading, field):
    assert field_of(heading) == field


def test_no_heading_means_two_fields():
    headings = [h for names in WORDS["headings"].values() for h in names]

    assert len(headings) == len(set(headings))


@pytest.mark.parametrize("seconds", [0, -5, 14, 61, 100_000, 20.5, "long"])
def test_a_length_that_is_not_allowed_is_refused_with_what_is(seconds):
    with pytest.raises(DraftError, match="duration") as caught:
        Draft(script="Hello.", duration=seconds)

    assert "a number from 15 to 60" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_draft_without_a_script_or_with_a_wrong_field_says_so():
    with pytest.raises(DraftError, match="no script"):
        Draft(caption="Hello")
    with pytest.raises(DraftError, match="“captoin”"):
        Draft(script="Hello.", captoin="Hello")
    with pytest.raises(DraftError, match="script has a value"):
        Draft(script=None)
    with pytest.raises(DraftError, match="A-Z"):
        Draft(script="Hello.", id="no spaces")


def test_a_row_gives_the_draft_it_was_made_of():
    draft = Draft(
        script="Hello.", title="T", caption="C", voice="V", avatar="A", duration=20
    )
    row = DraftRow(version=3)
    row.write(draft, datetime.now(UTC))

    assert Draft.of(row) == draft
    row.duration = 5  # as older versions took it
    assert Draft.of(row).duration == 15


@pytest.mark.parametrize(
    ("texts", "code"),
    [("drafts/problems.yaml", "drafts/*.py"), ("scripts/offline.yaml", "scripts/*.py")],
)
def test_each_problem_has_its_words_and_no_others_are_kept(texts, code):
    known = yaml.safe_load((PACKAGE / texts).read_text("utf-8"))
    source = "".join(file.read_text("utf-8") for file in PACKAGE.glob(code))

    assert set(re.findall(r'wrong\(\s*"(\w+)"', source)) <= known.keys()
    assert [name for name in known if f'"{name}"' not in source] == []
