"""Every notebook runs without a key and is kept without outputs."""

from __future__ import annotations

import shutil
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

import heygen_nb as hg
from heygen_nb.timing import SpeechModel

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))
MAX_CODE_CELLS = 10
RUN = [
    *NOTEBOOKS[:2],
    *(pytest.param(n, marks=pytest.mark.soak) for n in NOTEBOOKS[2:]),
]


def _read(notebook: Path) -> nbformat.NotebookNode:
    return nbformat.read(notebook, as_version=4)


def _code_cells(notebook: Path) -> list[nbformat.NotebookNode]:
    return [cell for cell in _read(notebook).cells if cell.cell_type == "code"]


def test_the_notebooks_are_there():
    names = [notebook.stem for notebook in NOTEBOOKS]

    assert names == [
        "01_studio",
        "02_step_by_step",
        "03_batch",
        "04_analytics",
        "05_colab",
    ]


def test_the_script_of_the_second_notebook_fits_the_length_it_asks_for():
    [cell] = [c.source for c in _code_cells(NOTEBOOKS[1]) if "hg.Draft(" in c.source]
    made = {"hg": hg}
    exec(cell, made)

    fit = SpeechModel().fit(made["draft"].script, 20)

    assert (fit.cut_words, fit.add_words) == (0, 0)


def test_the_notebook_of_figures_shows_the_history_as_a_table():
    assert any("hg.history(" in cell.source for cell in _code_cells(NOTEBOOKS[3]))


@pytest.mark.filterwarnings("default")  # the kernel's libraries are not ours
@pytest.mark.parametrize("notebook", RUN, ids=lambda path: path.stem)
def test_a_notebook_runs_from_its_folder_without_a_key(
    notebook, home, sandbox_at_home, monkeypatch
):
    (home / "config.yaml").write_text("heygen_voice: en-US-Neural2-F\n")
    (home / "notebooks").mkdir()
    copy = shutil.copy(notebook, home / "notebooks")
    monkeypatch.setenv("HEYGEN_NB_POLL_INTERVAL_S", "0.2")
    monkeypatch.setenv("IPYTHONDIR", str(home / "ipython"))
    read = _read(Path(copy))

    NotebookClient(
        read, timeout=240, resources={"metadata": {"path": str(home / "notebooks")}}
    ).execute()

    texts = [str(out) for cell in read.cells for out in cell.get("outputs", ())]
    assert texts
    assert not any("Traceback" in text or "'stderr'" in text for text in texts)


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_short_and_kept_without_outputs(notebook):
    cells = _code_cells(notebook)

    assert len(cells) <= MAX_CODE_CELLS
    assert not any(cell.outputs or cell.execution_count for cell in cells)
