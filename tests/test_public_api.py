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


def test_a_wrong_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="rendr_video"):
        _ = hg.rendr_video


@pytest.mark.parametrize(
    "name", sorted(set(hg.__all__) - {"VIDEO_CONFIG", "__version__"})
)
def test_every_public_name_is_documented(name):
    assert inspect.getdoc(getattr(hg, name))


def test_importing_loads_nothing_heavy():
    code = "import sys, heygen_nb; print(' '.join(sys.modules))"

    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    loaded = set(ran.stdout.split())
    assert loaded.isdisjoint(
        {"httpx", "pydantic", "numpy", "av", "sqlalchemy", "asyncio", "ipywidgets"}
    )


def test_somebody_elses_typed_code_passes_mypy(tmp_path):
    cache = TESTS.parent / ".mypy_cache" / "outside"
    strict = ("--strict", "--config-file=", f"--cache-dir={cache}")

    ran = subprocess.run(
        [sys.executable, "-m", "mypy", *strict, str(USED)],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )

    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_every_public_name_is_used_in_typed_code():
    used = USED.read_text("utf-8")

    assert [name for name in hg.__all__ if f"hg.{name}" not in used] == []
