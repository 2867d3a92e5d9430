from .conftest import avatar


def batch(sandbox, *videos, key=None):
    headers = {} if key is None else {"Idempotency-Key": key}
    body = {"title": "week 12", "videos": list(videos)}
    return sandbox.api.post("/v3/videos/batches", json=body, headers=headers)


def read(sandbox, reply, **params):
    batch_id = reply.json()["data"]["batch_id"]
    url = f"/v3/videos/batches/{batch_id}"
    return sandbox.api.get(url, params=params).json()["data"]


def test_items_wait_for_a_place_and_have_no_video_id_until_then(start):
    sandbox = start(concurrency=2, processing_s=10)

    reply = batch(sandbox, *[avatar(title=f"row {n}") for n in range(5)])
    now = read(sandbox, reply)
    listed = sandbox.api.get("/v3/videos").json()["data"]
    sandbox.advance(11)
    later = read(sandbox, reply)
    sandbox.advance(20)
    done = read(sandbox, reply)

    assert reply.status_code == 202
    assert now["counts_by_status"] == {"processing": 2, "queued": 3}
    ids = [item["video_id"] for item in now["items"]]
    assert [video_id is None for video_id in ids] == [False] * 2 + [True] * 3
    assert len(listed) == 2
    assert later["counts_by_status"] == {"completed": 2, "processing": 2, "queued": 1}
    assert (done["status"], done["counts_by_status"]) == ("completed", {"completed": 5})


def test_items_come_in_order_and_over_pages(sandbox):
    reply = batch(sandbox, *[avatar(title=f"row {n}") for n in range(5)])

    first = read(sandbox, reply, limit=3)
    second = read(sandbox, reply, limit=3, token=first["next_token"])

    assert [item["item_index"] for item in first["items"]] == [0, 1, 2]
    assert [item["item_index"] for item in second["items"]] == [3, 4]
    assert (first["has_more"], second["has_more"]) == (True, False)


def test_an_unknown_voice_fails_its_item_alone(sandbox):
    reply = batch(sandbox, avatar(), avatar(voice_id="nope"))

    items = read(sandbox, reply)["items"]

    assert [item["status"] for item in items] == ["completed", "failed"]
    assert items[1]["error"]["code"] == "voice_not_found"
    assert len(sandbox.ledger()["charges"]) == 1


def test_a_malformed_item_refuses_the_batch(sandbox):
    reply = batch(sandbox, avatar(), avatar(script=""))

    assert reply.json()["error"]["param"] == "videos.1.script"
    assert sandbox.ledger()["jobs"] == []


def test_a_batch_nobody_can_pay_is_refused_as_a_whole(start):
    sandbox = start(balance=0.5)

    assert batch(sandbox, *[avatar()] * 10).status_code == 402
    assert sandbox.ledger()["jobs"] == []


def test_bulk_statuses_take_batch_ids(start):
    sandbox = start(concurrency=1, processing_s=5)
    batch_id = batch(sandbox, avatar(), avatar()).json()["data"]["batch_id"]

    rows = sandbox.api.get(f"/v3/videos/statuses?batch_ids={batch_id}").json()["data"]

    assert [row["item_index"] for row in rows] == [0, 1]
    assert [row["status"] for row in rows] == ["processing", "queued"]
    assert rows[1]["video_id"] is None


def test_the_same_key_gives_the_same_batch(sandbox):
    first, again = (batch(sandbox, avatar(), key="b1") for _ in range(2))

    assert first.json() == again.json()
    assert len(sandbox.ledger()["jobs"]) == 1
