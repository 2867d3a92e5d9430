"""Where the notebook is shown: what plays there, and what is said about it."""

from __future__ import annotations

import base64
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Event
from types import SimpleNamespace

import av
import numpy as np
import pytest
import traitlets

from heygen_nb.errors import PreviewError
from heygen_nb.preview import probe_video
from heygen_nb.ui import base, display
from heygen_nb.ui.display import video_html
from heygen_nb.ui.widgets import Player


@pytest.fixture
def inside(monkeypatch):
    """Let the kernel look as it does in some home of notebooks."""

    def home(where, kernel=(7, 4, 0)):
        names = {"__vsc_ipynb_file__": "a.ipynb"} if where == "vscode" else {}
        shell = SimpleNamespace(user_ns=names)
        ipython = SimpleNamespace(get_ipython=lambda: shell)
        monkeypatch.setitem(sys.modules, "IPython", ipython)
        monkeypatch.setitem(
            sys.modules, "ipykernel", SimpleNamespace(version_info=kernel)
        )
        if where == "colab":
            monkeypatch.setitem(sys.modules, "google.colab", SimpleNamespace())

    return home


def test_jupyter_plays_a_film_by_its_path(inside, home):
    inside("jupyter")
    (home / "a film.mp4").write_bytes(b"film")

    html = video_html(home / "a film.mp4")

    assert 'src="a%20film.mp4"' in html
    assert "stored in the notebook" not in html


@pytest.mark.parametrize("where", ["vscode", "colab"])
def test_where_files_do_not_play_the_film_is_embedded_and_it_says_so(
    inside, home, where
):
    inside(where)
    (home / "film.mp4").write_bytes(b"film")

    html = video_html(home / "film.mp4")

    assert f"base64,{base64.b64encode(b'film').decode()}" in html
    assert "film.mp4 (0.0 MB) is stored in the notebook" in html


@pytest.fixture
def large(home, monkeypatch):
    """A film that is too large, and what shrinks it as soon as it may."""
    film, may, made = home / "film.mp4", Event(), []
    film.write_bytes(b"large film")

    def shrink(source, target, *, max_bytes, short_px):
        assert may.wait(60)
        made.append((source, short_px))
        if may.refused:
            raise PreviewError("no room")
        target.write_bytes(source.read_bytes()[:max_bytes])

    def begun(_shrink, source, target, **limits):
        return workers.submit(lambda: shrink(source, target, **limits) or target)

    may.refused = False
    workers = ThreadPoolExecutor(1)
    monkeypatch.setattr(display, "pool", lambda: SimpleNamespace(submit=begun))
    monkeypatch.setattr(display, "MAX_EMBEDDED_BYTES", 5)
    yield SimpleNamespace(film=film, may=may, made=made)
    may.set()
    workers.shutdown()


def embedded(html):
    return base64.b64decode(html.partition("base64,")[2].partition('"')[0])


def test_a_film_too_large_to_embed_is_made_smaller_meanwhile_and_once(inside, large):
    inside("colab")

    first = video_html(large.film)  # at once, whatever encoding takes

    assert "<video" not in first
    assert "film.mp4 is too large to be stored in the notebook" in first
    large.may.set()
    display.copy_of(large.film).result(60)
    assert embedded(video_html(large.film)) == b"large"
    display._COPIES.clear()  # as in the next kernel
    assert embedded(video_html(large.film)) == b"large"
    assert large.made == [(large.film, 720)]


@pytest.mark.anyio
async def test_a_player_shows_the_copy_when_it_is_ready(inside, large, until):
    inside("vscode")
    player = Player()

    def html():
        return player.screen.outputs[0]["data"]["text/html"]

    player.play(large.film)
    assert "too large" in html()
    large.may.set()

    await until(lambda: "<video" in html())
    assert embedded(html()) == b"large"


@pytest.mark.anyio
async def test_a_copy_that_failed_is_told_and_tried_again(inside, large, until):
    inside("vscode")
    player = Player()
    large.may.refused = True
    large.may.set()

    player.play(large.film)
    await until(lambda: "no room" in str(player.screen.outputs))
    large.may.refused = False
    player.play(large.film)

    await until(lambda: "<video" in str(player.screen.outputs))


def test_a_real_film_gets_its_copy_in_another_process(inside, home, monkeypatch):
    inside("colab")
    film = home / "film.mp4"
    with av.open(str(film), "w") as written:
        video = written.add_stream("libx264", rate=25)
        video.width, video.height, video.pix_fmt = 1080, 1920, "yuv420p"
        video.options = {"crf": "1", "preset": "ultrafast"}
        random = np.random.default_rng(1)
        for _ in range(10):
            pixels = random.integers(0, 255, (120, 135, 3), "u1")
            pixels = pixels.repeat(16, 0).repeat(8, 1)
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            written.mux(video.encode(frame))
        written.mux(video.encode(None))
    limit = film.stat().st_size - 1
    monkeypatch.setattr(display, "MAX_EMBEDDED_BYTES", limit)

    copy = display.copy_of(film).result(240)

    facts = probe_video(copy)
    assert (facts.width, facts.height) == (720, 1280)
    assert copy.stat().st_size <= limit


@pytest.mark.parametrize(
    ("where", "kernel", "said"),
    [
        ("jupyter", (7, 4, 0), ""),
        ("jupyter", (6, 17, 1), ""),
        ("jupyter", (7, 2, 0), "ipykernel>=7.4"),
        ("vscode", (6, 29, 5), ""),
        ("vscode", (7, 4, 0), "ipykernel<7"),
        ("colab", (6, 17, 1), "next cell"),
    ],
)
def test_a_kernel_that_misbehaves_is_told_with_what_to_do(inside, where, kernel, said):
    inside(where, kernel)

    notes = list(display.kernel_notes())

    assert [said in note for note in notes] == ([True] if said else [])


class SeventhUpload(traitlets.HasTraits):
    """The upload of ipywidgets 7: what it holds is a dict by name."""

    value = traitlets.Dict()


@pytest.mark.anyio
@pytest.mark.parametrize("eighth", [True, False])
async def test_an_upload_is_read_in_both_shapes_and_taken_once(monkeypatch, eighth):
    taken, works = [], []

    async def take(name, content):
        taken.append((name, content))

    if not eighth:
        monkeypatch.setattr(base, "make", lambda *_a, **_traits: SeventhUpload())
    panel = SimpleNamespace(
        say=lambda *_a: None, spawn=lambda work, _at: works.append(work)
    )
    button = base.Panel.upload(panel, lambda: "Import", take, ".md", at=None)
    file = {"name": "a.md", "type": "", "size": 4, "content": memoryview(b"text")}
    both = ({**file, "last_modified": datetime.now(UTC)},)
    button.set_trait("value", both if eighth else {"a.md": {"content": b"text"}})
    for work in works:  # emptying it is a change as well
        await work()

    assert taken == [("a.md", b"text")]
    assert not button.value
