from __future__ import annotations

import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import heygen_nb as hg

TESTS = Path(__file__).parent
USED = TESTS / "typing" / "api.py"


def test_all_is_what_there_is():
    assert sorted(hg.__all__) == sorted(set(hg.__all__))
    for name in hg.__all__:
        assert getattr(hg, name) is not None


def test_dir_shows_the_public_names():
    assert set(dir(hg)) == set(hg.__all__) - {"__version__"}


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("Studo", "There is no hg.Studo. Did you mean hg.Studio?"),
        ("rendr_video", "There is no hg.rendr_video. Did you mean hg.render_video?"),
        ("qqq", "There is no hg.qqq. dir(hg) lists the public names."),
    ],
)
def test_a_wrong_name_is_told_in_words_with_the_nearest_one(name, told):
    with pytest.raises(AttributeError) as caught:
        getattr(hg, name)

    assert str(caught.value) == told
    shown = "".join(caught.value._render_traceback_())  # what IPython prints
    assert "heygen_nb/__init__" not in shown


def test_a_module_of_ours_and_a_wrong_one_are_imported_as_ever():
    from heygen_nb import processes  # noqa: PLC0415

    assert processes.Processes
    assert not hasattr(hg, "no_such_thing")
    with pytest.raises(ImportError, match="no_such_thing"):
        from heygen_nb import no_such_thing  # noqa: F401, PLC0415


@pytest.mark.parametrize(
    "name", sorted(set(hg.__all__) - {"VIDEO_CONFIG", "__version__"})
)
def test_every_public_name_is_documented(name):
    assert inspect.getdoc(getattr(hg, name))


LIGHT = ("httpx", "pydantic", "numpy", "av", "sqlalchemy", "asyncio", "ipywidgets")
NEEDED_LATER = (
    *("numpy", "av", "PIL", "telegram", "matplotlib", "babel"),
    *("starlette", "uvicorn"),
)


@pytest.mark.parametrize(
    ("module", "unloaded"),
    [("heygen_nb", LIGHT), ("heygen_nb.ui.studio", NEEDED_LATER)],
)
def test_importing_loads_nothing_heavy(module, unloaded):
    code = f"import sys, {module}; print(' '.join(sys.modules))"

    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    assert set(ran.stdout.split()).isdisjoint(unloaded)


def test_every_public_name_is_used_in_typed_code():
    used = USED.read_text("utf-8")

    assert [name for name in hg.__all__ if f"hg.{name}" not in used] == []
