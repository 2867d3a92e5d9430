import ctypes
import gc
import multiprocessing
from concurrent.futures import ProcessPoolExecutor

import psutil
import pytest

from heygen_nb.preview import Scene, render_scene

pytestmark = [pytest.mark.soak, pytest.mark.timeout(900)]


def grown_bytes(folder):
    """Render a hundred times; return by how much the last ten pass the first half.

    The C library keeps freed memory, which hides a leak and looks like one: it is told
    to give it back before each look. Mapped files are the system's and do not count.
    """
    give_back = getattr(ctypes.CDLL(None), "malloc_trim", lambda _: None)  # glibc's
    process = psutil.Process()
    own = []
    for number in range(100):
        script = f"Render number {number}: a sentence with words. Готово!"
        render_scene(Scene(script=script), folder / f"{number % 3}.mp4")
        gc.collect()
        give_back(0)
        memory = process.memory_info()
        own.append(memory.rss - memory.shared)
    return max(own[-10:]) - max(own[:50])


def test_memory_stays_flat_over_a_hundred_renders(out):
    # in a process of its own: what other tests left behind is not what is measured
    context = multiprocessing.get_context("forkserver")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        grown = pool.submit(grown_bytes, out).result()

    assert grown < 5_000_000  # half a MB as it is, 15 with a leak of 0.3 MB a render
