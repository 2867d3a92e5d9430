"""A home of version 0.1: it opens, and nothing in it is paid or posted again."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections import Counter
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import heygen_nb as hg
from heygen_nb.ledger import Ledger
from heygen_nb.ledger.database import HEAD

pytestmark = pytest.mark.anyio

DATA = Path(__file__).parent / "data/home-0.1"
KEY, FILM_KINDS = "sk_home_of_0_1", {"mp4", "srt", "jpg"}
LAYOUT, MADE_AT = "0004", datetime(2026, 11, 26, 23, 29, 19, tzinfo=UTC)
UNPAID = {"rejected", "failed"}  # rendering them anew is rightly paid
NEVER_SENT = "planned"


def restore(dump: str, target: Path, base_url: str = "") -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    text = (DATA / dump).read_text("utf-8")
    with closing(sqlite3.connect(target)) as database:
        database.executescript(text.replace("http://sandbox.invalid", base_url))


def rows(file: Path, query: str) -> list[tuple]:
    with closing(sqlite3.connect(file)) as database:
        return database.execute(query).fetchall()


def make_of_age(file: Path, age: timedelta) -> None:
    """Let everything have happened that long ago."""
    days = (datetime.now(UTC) - age - MADE_AT) / timedelta(days=1)
    with closing(sqlite3.connect(file)) as database, database:
        for table in ("renders", "posts", "drafts", "speech", "events", "assets"):
            columns = database.execute(f"PRAGMA table_info({table})").fetchall()
            for name in (c[1] for c in columns if c[2] == "DATETIME"):
                moved = f"julianday({name}) + {days}"
                later = f"strftime('%Y-%m-%d %H:%M:%f000', {moved})"
                database.execute(f"UPDATE {table} SET {name} = {later}")


@pytest.fixture(params=["old", "young"])
def old(request, tmp_path, home, make_sandbox):
    """The home and the stand-in as they were; a young one's posts may still go out."""
    box = tmp_path / "sandbox"
    restore("sandbox.sql", box / "sandbox.db")
    for (job,) in rows(box / "sandbox.db", "SELECT id FROM records WHERE kind = 'Job'"):
        lay_films(folder := box / "files/videos" / job / "video")
        shutil.copy(DATA / "film.mp4", folder.with_name("captioned.mp4"))
    young = request.param == "young"
    # whatever the day is, the server knows the keys of a young home only
    sandbox = make_sandbox(api_key=KEY, key_life_s=1e9 if young else 1.0)
    ledger = home / "heygen_nb.db"
    restore("heygen_nb.sql", ledger, sandbox.handle.base_url)
    make_of_age(ledger, timedelta(minutes=1) if young else timedelta(days=40))
    for name in ("config.yaml", "wall.png"):
        shutil.copy(DATA / name, home)
    for (path,) in rows(ledger, "SELECT path FROM renders WHERE path IS NOT NULL"):
        lay_films((home / "videos" / path).with_suffix(""))
    [sent] = home.glob("videos/*-sent-*")
    shutil.copy(DATA / "render.json", sent)
    sandbox.young = young
    return sandbox


def lay_films(place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    for kind in FILM_KINDS:
        shutil.copy(DATA / f"film.{kind}", place.with_suffix(f".{kind}"))


def orders(sandbox) -> Counter[str]:
    """How many videos were made under each order's title."""
    return Counter(job["title"].split()[0] for job in sandbox.ledger()["jobs"])


def drafts_of(home) -> dict[str, hg.Draft]:
    columns = [name for name in hg.Draft.model_fields if name in OLD_FIELDS]
    query = f"SELECT {', '.join(columns)} FROM drafts WHERE deleted_at IS NULL"
    found = rows(home / "heygen_nb.db", query)
    return {row[0]: hg.Draft(**dict(zip(columns, row, strict=True))) for row in found}


OLD_FIELDS = (
    *("id", "script", "caption", "title"),
    *("voice", "avatar", "background", "duration"),
)


async def test_resume_goes_on_and_pays_and_posts_nothing_again(old, home):
    before, posts = orders(old), old.ledger()["posts"]
    [(planned,)] = rows(
        home / "heygen_nb.db", "SELECT token FROM renders WHERE draft_id = 'planned'"
    )

    await hg.resume(settings=old.settings())
    await hg.resume(settings=old.settings())

    after = orders(old)
    assert after - before == {planned: 1}
    assert set(after.values()) == {1}
    charged = Counter(charge["ref"] for charge in old.charges())
    assert set(charged.values()) == {1}
    states = dict(
        rows(
            home / "heygen_nb.db", "SELECT draft_id, state FROM renders ORDER BY rowid"
        )
    )
    for draft_id in ("on-its-way", "made", "unanswered", "batch-b", "planned"):
        assert states[draft_id] == "downloaded", draft_id
    new = Counter(post["text"][:20] for post in old.ledger()["posts"][len(posts) :])
    # these surely are in no chat; whether they go there now is the check's word
    waiting = ["A sentence of a long", "Caption of post-fail", "Caption of post-plan"]
    assert new <= Counter(waiting if old.young else [])


async def test_rendering_the_same_drafts_pays_and_posts_nothing(old, home):
    before, posts = orders(old), len(old.ledger()["posts"])
    drafts = drafts_of(home)
    exact = drafts.pop("exact")
    skipped = {*UNPAID, NEVER_SENT}

    videos = {}
    for draft in drafts.values():
        if draft.id not in skipped:
            # what a person has to decide about stays with him, or is found again
            allowed = hg.HeygenNbError if draft.id == "unknown" else ()
            with suppress(allowed):
                videos[draft.id] = await hg.render_video(draft, settings=old.settings())
    videos["exact"] = await hg.render_video(
        exact, settings=old.settings(length_mode="exact")
    )

    assert orders(old) == before
    assert len(old.ledger()["posts"]) == posts
    assert old.requests("POST /v3/voices/speech") == 0
    assert old.requests("POST /v3/assets") == 0
    assert {*videos, "unknown"} == {*drafts, "exact"} - skipped
    assert all(video.path.exists() for video in videos.values())


async def test_its_ledger_is_brought_up_to_date_and_a_copy_of_it_is_kept(old, home):
    file = home / "heygen_nb.db"
    renders = rows(file, "SELECT id, draft_id, attempt, state, cost FROM renders")

    with Ledger(f"sqlite:///{file}") as ledger:
        listed = [row for page in ledger.history.pages() for row in page]
        saved = {row.id: row for row in ledger.drafts.all()}
        half = ledger.posts.of_renders([row.id for row in listed])

    assert sorted(
        (row.id, row.draft_id, row.attempt, row.state, row.cost) for row in listed
    ) == sorted(renders)
    assert "gone" not in saved
    assert len(saved) == 20
    sent = saved["sent"]
    assert (sent.voice, sent.background, sent.duration) == ("Maya", "#204060", 20)
    assert sum(len(parts) for parts in half.values()) == 8
    copies = [*home.glob(f"heygen_nb.db.before-*-from-{LAYOUT}")]
    assert len(copies) == (HEAD != LAYOUT)
    for copy in copies:
        assert rows(copy, "SELECT count(*) FROM renders") == [(len(renders),)]


async def test_its_archive_and_settings_are_read(old, home):
    settings = old.settings()

    assert settings.heygen_voice == "Clara"
    assert settings.max_cost_per_day == 40
    [note] = home.glob("videos/*-sent-*/render.json")
    assert json.loads(note.read_text("utf-8"))["draft_id"] == "sent"
