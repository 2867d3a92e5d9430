import gc
import multiprocessing
from concurrent.futures import ProcessPoolExecutor

import psutil
import pytest

from heygen_nb.preview import Scene, render_scene

pytestmark = [pytest.mark.soak, pytest.mark.timeout(900)]


def grown_bytes(folder):
    """Render a hundred times; return what the process grew by after the first 20."""
    process = psutil.Process()
    resident = []
    for number in range(100):
        script = f"Render number {number}: a sentence with words. Готово!"
        render_scene(Scene(script=script), folder / f"{number % 3}.mp4")
        gc.collect()
        resident.append(process.memory_info().rss)
    return (sum(resident[-10:]) - sum(resident[20:30])) / 10


def test_memory_stays_flat_over_a_hundred_renders(out):
    # in a process of its own: what other tests left behind is not what is measured
    context = multiprocessing.get_context("forkserver")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        grown = pool.submit(grown_bytes, out).result()

    assert grown < 8_000_000
