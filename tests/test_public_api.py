from __future__ import annotations

import inspect
import subprocess
import sys

import pytest

import heygen_nb as hg


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
