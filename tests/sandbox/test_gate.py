"""Who may ask the sandbox what: no web page, and nobody else steers it."""

import httpx
import pytest

from heygen_nb.sandbox.process import SandboxHandle

ROUTES = ["/v3/users/me", "/chat", "/files/looks/look_own_01.jpg", "/_sandbox/ledger"]


@pytest.mark.parametrize("route", [*ROUTES, "/_sandbox/clock", "/bot1:x/getMe"])
@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "evil.example:{port}"},
        {"Host": "127.0.0.1"},
        {"Host": "127.0.0.1:1"},
        {"Origin": "https://evil.example"},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": "null"},
    ],
)
def test_a_web_page_is_turned_away_from_every_route(shared, route, headers):
    port = str(httpx.URL(shared.handle.base_url).port)
    headers = {name: value.format(port=port) for name, value in headers.items()}

    reply = shared.api.get(route, headers=headers)

    assert (reply.status_code, reply.json()["error"]["code"]) == (403, "forbidden")
    assert "access-control-allow-origin" not in reply.headers


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
def test_this_machine_is_let_in_by_each_of_its_names(shared, host):
    port = httpx.URL(shared.handle.base_url).port
    own = {"Host": f"{host}:{port}", "Origin": f"http://{host}:{port}"}

    replies = [shared.api.get(route, headers=own) for route in ROUTES]

    assert [reply.status_code for reply in replies] == [200] * 4


@pytest.mark.parametrize(
    ("route", "body"),
    [
        ("/_sandbox/clock", b'{"advance_s": 3600}'),
        ("/_sandbox/balance", b'{"balance": 0}'),
        ("/v3/videos", b"{}"),
        ("/v3/videos/batches", b"{}"),
        ("/v3/voices/speech", b"{}"),
    ],
)
@pytest.mark.parametrize("kind", ["text/plain", "text/plain;application/json", None])
def test_only_json_that_says_so_is_read(sandbox, route, body, kind):
    headers = {} if kind is None else {"Content-Type": kind}
    before = sandbox.api.get("/v3/users/me").headers["date"]

    reply = sandbox.api.post(route, content=body, headers=headers)

    assert (reply.status_code, reply.json()["error"]["code"]) == (
        415,
        "unsupported_media_type",
    )
    assert sandbox.ledger()["balance"] == 100
    assert sandbox.api.get("/v3/users/me").headers["date"] == before


@pytest.mark.parametrize("token", [None, "", "guessed", "ключ".encode()])
def test_the_control_routes_ask_for_their_token(shared, token):
    headers = {} if token is None else {"X-Sandbox-Token": token}
    for method, route in (
        ("GET", "ledger"),
        ("POST", "clock"),
        ("POST", "balance"),
        ("POST", "owners"),
    ):
        url = f"{shared.handle.base_url}/_sandbox/{route}"
        reply = httpx.request(method, url, headers=headers, json={})

        assert (reply.status_code, reply.json()["error"]["code"]) == (403, "forbidden")


def test_the_token_is_told_to_this_user_only(sandbox, tmp_path):
    sandbox.handle.write(tmp_path)

    assert (tmp_path / "server.json").stat().st_mode & 0o077 == 0
    assert SandboxHandle.read(tmp_path) == sandbox.handle
    assert SandboxHandle.read(tmp_path).control("ledger")["balance"]


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("clock", '{"advance_s": "nan"}'),
        ("clock", '{"advance_s": NaN}'),
        ("clock", '{"advance_s": Infinity}'),
        ("clock", '{"advance_s": "-inf"}'),
        ("clock", '{"advance_s": -1}'),
        ("clock", '{"advance_s": 1e18}'),
        ("clock", '{"advance_s": [1]}'),
        ("clock", "[" * 100_000),
        ("balance", '{"balance": "nan"}'),
        ("balance", '{"balance": -5}'),
        ("balance", '{"balance": Infinity}'),
        ("owners", '{"pid": -1}'),
        ("owners", '{"pid": "nan"}'),
        ("owners", "[]"),
    ],
)
def test_a_number_that_is_none_is_refused_and_never_kept(start, name, body):
    sandbox = start()
    kind = {"Content-Type": "application/json"}

    refused = sandbox.api.post(f"/_sandbox/{name}", content=body, headers=kind)
    again = start()

    assert refused.status_code == 400
    for running in (sandbox, again):
        assert running.ledger()["balance"] == 100
        assert running.api.get("/v3/users/me").status_code == 200


def test_a_clock_that_was_spoilt_once_goes_again(start):
    sandbox = start()
    sandbox.inside.state.put("Fact", "clock_offset_s", {"value": "nan"})
    sandbox.ledger()

    assert start().api.get("/v3/users/me").status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/v3/no/such/route", 404, "not_found"),
        ("GET", "/", 404, "not_found"),
        ("PUT", "/v3/videos", 405, "method_not_allowed"),
        ("DELETE", "/v3/users/me", 405, "method_not_allowed"),
        ("GET", "/v3/assets/nope", 404, "asset_not_found"),
    ],
)
def test_what_is_not_there_answers_in_heygens_envelope(
    shared, method, path, status, code
):
    reply = shared.api.request(method, path)

    assert (reply.status_code, reply.json()["error"]["code"]) == (status, code)
    assert reply.headers["x-request-id"]


@pytest.mark.parametrize(
    "path",
    [
        "/v3/templates",
        "/v3/webhooks/endpoints",
        "/v3/avatars",
        "/v3/webhooks/events",
        "/v3/webhooks/event-types",
    ],
)
def test_lists_of_what_it_does_not_have_are_empty(shared, path):
    nothing = {"data": [], "has_more": False, "next_token": None}

    assert shared.api.get(path).json() == nothing
    assert shared.api.get(path, headers={"X-Api-Key": ""}).status_code == 401
