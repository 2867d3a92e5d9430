import concurrent.futures

import httpx
import pytest

CREATE = {"method": "POST", "path": "/v3/videos"}


def test_a_drop_before_accepting_leaves_nothing(sandbox):
    sandbox.fault("drop", **CREATE)

    with pytest.raises(httpx.RemoteProtocolError):
        sandbox.create("k")

    assert sandbox.ledger()["jobs"] == []
    assert sandbox.create("k").status_code == 200


def test_a_drop_after_accepting_leaves_a_job_and_a_charge(sandbox):
    sandbox.fault("drop", after=True, **CREATE)

    with pytest.raises(httpx.RemoteProtocolError):
        sandbox.create("k")
    again = sandbox.create("k")

    ledger = sandbox.ledger()
    assert [job["id"] for job in ledger["jobs"]] == [again.json()["data"]["video_id"]]
    assert len(ledger["charges"]) == 1
    assert ledger["requests"]["POST /v3/videos"] == 2


@pytest.mark.parametrize(
    ("fault", "status", "found"),
    [
        ({"kind": "status", "status": 502, "html": True}, 502, "<h1>"),
        ({"kind": "status", "status": 503}, 503, "internal_error"),
        ({"kind": "status", "status": 401}, 401, "unauthorized"),
        ({"kind": "status", "status": 402}, 402, "insufficient_credit"),
        ({"kind": "status", "status": 409}, 409, "request_in_progress"),
        ({"kind": "status", "status": 400, "code": "odd"}, 400, "odd"),
        ({"kind": "html"}, 200, "<h1>"),
        ({"kind": "error_in_200"}, 200, '"error":'),
        ({"kind": "empty"}, 200, ""),
    ],
)
@pytest.mark.parametrize("after", [False, True])
def test_answers_can_be_spoilt_before_or_after_the_job_is_made(
    sandbox, fault, status, found, after
):
    sandbox.fault(**fault, after=after, **CREATE)

    reply = sandbox.create()

    assert reply.status_code == status
    assert found in reply.text
    assert len(sandbox.ledger()["jobs"]) == int(after)
    assert sandbox.create().status_code == 200


def test_half_a_json_is_a_whole_http_answer(sandbox):
    sandbox.fault("truncated", **CREATE)

    reply = sandbox.create()

    with pytest.raises(ValueError, match=r"Unterminated|Expecting"):
        reply.json()
    assert len(sandbox.ledger()["jobs"]) == 1


def test_retry_after_is_sent(sandbox):
    sandbox.fault("status", status=429, retry_after_s=3, **CREATE)

    assert sandbox.create().headers["Retry-After"] == "3"


def test_a_slow_create_answers_a_repeat_of_its_key_with_409(start):
    sandbox = start(create_s=0.3)

    with concurrent.futures.ThreadPoolExecutor() as pool:
        first = pool.submit(sandbox.create, "k")
        while sandbox.ledger()["requests"].get("POST /v3/videos") != 1:
            pass
        second = sandbox.create("k")

    assert second.json()["error"]["code"] == "request_in_progress"
    assert first.result().status_code == 200
    assert len(sandbox.ledger()["jobs"]) == 1


def test_a_slow_answer_after_accepting_outlasts_the_clients_patience(sandbox):
    sandbox.fault("slow", after=True, delay_s=0.3, **CREATE)

    with pytest.raises(httpx.ReadTimeout):
        sandbox.api.post("/v3/videos", json={}, timeout=0.05)


def test_an_unknown_status_word(sandbox):
    video_id = sandbox.create().json()["data"]["video_id"]
    sandbox.fault("unknown_status", path="/v3/videos/*", word="polishing", times=2)

    one = sandbox.video(video_id)["status"]
    bulk = sandbox.api.get(f"/v3/videos/statuses?video_ids={video_id}").json()

    assert one == bulk["data"][0]["status"] == "polishing"
    assert sandbox.video(video_id)["status"] == "completed"


def test_a_file_can_be_a_page_or_nothing_or_refused_or_cut(sandbox):
    url = sandbox.completed()["video_url"]
    for kind, more in (("html", {}), ("empty", {}), ("status", {"status": 403})):
        sandbox.fault(kind, path="/files/*", **more)
    sandbox.fault("cut", path="/files/*")

    page, nothing, refused = (httpx.get(url) for _ in range(3))
    with pytest.raises(httpx.RemoteProtocolError, match=r"incomplete|closed"):
        httpx.get(url)

    assert page.headers["content-type"].startswith("text/html")
    assert (nothing.status_code, nothing.content) == (200, b"")
    assert refused.status_code == 403
    assert httpx.get(url).status_code == 200


def test_a_file_can_stall_half_way_and_still_arrive(sandbox):
    url = sandbox.completed()["video_url"]
    sandbox.fault("stall", path="/files/*", delay_s=0.1)

    with httpx.stream("GET", url) as reply:
        arrived = [len(chunk) for chunk in reply.iter_raw()]

    assert len(arrived) == 2
    assert sum(arrived) == int(reply.headers["content-length"])


def test_faults_can_skip_repeat_match_and_be_cleared(sandbox):
    sandbox.fault("status", skip=1, times=2, match="unlucky", **CREATE)

    lucky = sandbox.create(title="fine").status_code
    unlucky = [sandbox.create(title="unlucky").status_code for _ in range(4)]
    sandbox.fault("status", times=None)
    sandbox.faults.rules.clear()

    assert lucky == 200
    assert unlucky == [200, 500, 500, 200]
    assert sandbox.api.get("/v3/users/me").status_code == 200


def test_a_probability_is_repeatable_by_its_seed(start):
    def outcomes(seed):
        sandbox = start()
        sandbox.fault("status", times=None, probability=0.5, seed=seed)
        return [sandbox.api.get("/v3/users/me").status_code for _ in range(20)]

    assert outcomes(1) == outcomes(1)
    assert outcomes(1) != outcomes(2)
