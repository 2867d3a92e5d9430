import gc

import psutil
import pytest

from heygen_nb.preview import Scene, render_scene

pytestmark = [pytest.mark.soak, pytest.mark.timeout(900)]


def test_memory_stays_flat_over_a_hundred_renders(out):
    process = psutil.Process()
    resident = []
    for number in range(100):
        script = f"Render number {number}: a sentence with words. Готово!"
        render_scene(Scene(script=script), out / f"{number % 3}.mp4")
        gc.collect()
        resident.append(process.memory_info().rss)

    grown = (sum(resident[-10:]) - sum(resident[20:30])) / 10
    assert grown < 8_000_000
