from concurrent.futures import ThreadPoolExecutor

import pytest

from heygen_nb.errors import PreviewError
from heygen_nb.preview import Scene, preview_batch, probe_video

SMALL = {"short_side_px": 240, "aspect_ratio": "1:1"}


def jobs(out, *scripts):
    return [
        (Scene(script=script, **SMALL), out / f"{number}.mp4")
        for number, script in enumerate(scripts)
    ]


def test_results_come_in_order_and_one_failure_stops_nobody(out):
    first, second, third = preview_batch(
        jobs(out, "One two three four five.", "🎉", "Six.")
    )

    assert first == out / "0.mp4"
    assert isinstance(second, PreviewError)
    assert "no words" in second.message
    assert probe_video(third).duration_s < probe_video(first).duration_s


def test_nothing_to_do_starts_nothing():
    assert preview_batch([]) == []


def test_any_executor_is_used_and_left_open(out):
    with ThreadPoolExecutor(2) as pool:
        results = preview_batch(jobs(out, "One.", "Two."), pool)

        assert pool.submit(int).result() == 0
    assert [result.exists() for result in results] == [True, True]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # Dask's own, about its dashboard's port
def test_a_dask_cluster_of_two_processes_renders(out):
    distributed = pytest.importorskip("distributed")
    cluster = distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
    )
    with cluster, distributed.Client(cluster) as client:
        todo = jobs(out, "One.", "🎉", "Three.", "Four.")

        results = preview_batch(todo, client.get_executor())
        again = preview_batch(todo[:1], client.get_executor())

    assert [isinstance(r, PreviewError) for r in results] == [False, True, False, False]
    assert again[0].exists()
