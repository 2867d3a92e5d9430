"""Where the notebook is shown: what plays there, and what is said about it."""

from __future__ import annotations

import base64
import sys
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
import traitlets

from heygen_nb.ui import base, surface
from heygen_nb.ui.html import video_html


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


def test_a_film_too_large_to_embed_is_made_smaller_once(inside, home, monkeypatch):
    inside("colab")
    film, made = home / "film.mp4", []
    film.write_bytes(b"large film")

    def shrink(source, target, *, max_bytes):
        made.append(source)
        target.write_bytes(source.read_bytes()[:max_bytes])

    monkeypatch.setattr(surface, "shrink_video", shrink)
    monkeypatch.setattr(surface, "MAX_EMBEDDED_BYTES", 5)

    sources = {surface.video_source(film)[0] for _twice in range(2)}

    assert [base64.b64decode(s.partition(",")[2]) for s in sources] == [b"large"]
    assert made == [film]


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

    notes = list(surface.kernel_notes())

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
        say=lambda *_a: None,
        spawn=lambda work, _at: works.append(work),
        take_files=base.Panel.take_files,
    )
    button = base.Panel.upload(panel, lambda: "Import", take, ".md")
    file = {"name": "a.md", "type": "", "size": 4, "content": memoryview(b"text")}
    both = ({**file, "last_modified": datetime.now(UTC)},)
    button.set_trait("value", both if eighth else {"a.md": {"content": b"text"}})
    for work in works:  # emptying it is a change as well
        await work()

    assert taken == [("a.md", b"text")]
    assert not button.value
