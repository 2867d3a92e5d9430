"""What needs a kernel, but no browser."""

from __future__ import annotations

import nbformat
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

pytestmark = pytest.mark.filterwarnings("default")  # the kernel's libraries


@pytest.fixture
def run_cells(home, sandbox_at_home, monkeypatch):
    monkeypatch.setenv("HEYGEN_NB_POLL_INTERVAL_S", "0.2")
    monkeypatch.setenv("IPYTHONDIR", str(home / "ipython"))

    def run(*cells):
        book = nbformat.v4.new_notebook(
            cells=[nbformat.v4.new_code_cell(cell) for cell in cells]
        )
        NotebookClient(
            book, timeout=240, resources={"metadata": {"path": str(home)}}
        ).execute()
        return [str(cell.outputs) for cell in book.cells]

    return run


@pytest.mark.soak
def test_a_cell_becomes_a_preview_a_video_and_a_draft(run_cells):
    outputs = run_cells(
        "%load_ext heygen_nb",
        "%%avatar --title 'Leo'\nLeo, slow down today.",
        "%%avatar --render\nVirgo, slow down today.",
        "import heygen_nb as hg\npanel = hg.DraftsPanel()\nawait panel.idle()\n"
        "len(panel.list.s_drafts.options)",
    )

    assert 'src="previews/' in outputs[1]
    assert "✅ Video created!" in outputs[2]
    assert 'src="videos/' in outputs[2]
    assert "'text/plain': '2'" in outputs[3]


@pytest.mark.soak
def test_run_bridges_code_that_cannot_await_and_await_still_works(run_cells):
    outputs = run_cells(
        "import asyncio\nimport heygen_nb as hg\n\nhg.Studio()\n"
        "hasattr(asyncio, '_nest_patched')",
        "def plain():\n"
        "    return hg.run(hg.render_video(hg.Draft(script='Slow down.')))\n\n"
        "plain().status",
        "async with asyncio.timeout(5):\n    await asyncio.sleep(0)\n'still here'",
    )

    assert "False" in outputs[0]  # nest_asyncio is loaded when run is called
    assert "completed" in outputs[1]
    assert "still here" in outputs[2]


def test_the_cell_magic_says_what_brings_it(run_cells, home):
    with pytest.raises(CellExecutionError, match="%load_ext heygen_nb"):
        run_cells("import heygen_nb as hg", "%%avatar\nLeo, slow down today.")
