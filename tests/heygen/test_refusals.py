from __future__ import annotations

import pytest

from heygen_nb import errors
from heygen_nb.heygen.refusals import refusal


def told(code: str, **more):
    return {"error": {"code": code, "message": "It is so.", **more}}


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, "invalid_parameter", errors.InvalidRequestError),
        (400, "resource_limit_reached", errors.InvalidRequestError),
        (413, "payload_too_large", errors.InvalidRequestError),
        (422, "validation_error", errors.InvalidRequestError),
        (418, None, errors.InvalidRequestError),
        (401, "unauthorized", errors.NotAuthorizedError),
        (401, None, errors.NotAuthorizedError),
        (402, "insufficient_credit", errors.PaymentRequiredError),
        (400, "insufficient_credit", errors.PaymentRequiredError),
        (403, "forbidden", errors.ForbiddenError),
        (403, "plan_upgrade_required", errors.PaymentRequiredError),
        (404, "video_not_found", errors.NotFoundError),
        (404, None, errors.NotFoundError),
        (408, None, errors.ServerError),
        (409, "request_in_progress", errors.RequestInProgressError),
        (409, "conflict", errors.ConflictError),
        (409, None, errors.ConflictError),
        (429, "rate_limit_exceeded", errors.RateLimitedError),
        (429, "quota_exceeded", errors.QuotaExceededError),
        (429, None, errors.RateLimitedError),
        (500, "internal_error", errors.ServerError),
        (502, None, errors.ServerError),
        (504, "insufficient_credit", errors.ServerError),
        (200, "insufficient_credit", errors.BadReplyError),
        (302, None, errors.BadReplyError),
        (699, None, errors.BadReplyError),
    ],
)
def test_each_status_and_code_has_one_error(status, code, kind):
    error = refusal(status, told(code) if code else None)

    assert type(error) is kind
    assert error.status == status
    assert error.code == code
    assert error.hint


def test_everything_told_is_kept():
    error = refusal(
        400,
        told("invalid_parameter", param="voice_id", doc_url="https://x"),
        request_id="r-1",
        retry_after_s=3,
    )

    assert (error.code, error.param) == ("invalid_parameter", "voice_id")
    assert (error.request_id, error.retry_after_s) == ("r-1", 3)
    assert "It is so" in error.message
    assert "voice_id" in error.message


@pytest.mark.parametrize(
    ("status", "charged"),
    [
        *((status, False) for status in (400, 401, 402, 403, 404, 413, 429)),
        *((status, None) for status in (409, 408, 500, 502, 200, 302)),
    ],
)
def test_only_a_settled_refusal_says_nothing_was_charged(status, charged):
    assert refusal(status, told("x")).charged is charged


@pytest.mark.parametrize(
    "content",
    [
        None,
        [],
        "text",
        7,
        {},
        {"error": None},
        {"error": "plain words"},
        {"error": ["odd"]},
        {"error": {"code": {"a": 1}, "message": ["b"], "param": 5}},
        {"message": "Forbidden"},
        {"code": 100, "message": "old", "data": None},
    ],
)
@pytest.mark.parametrize("status", [200, 400, 404, 429, 503])
def test_odd_bodies_leave_the_status_to_decide(status, content):
    error = refusal(status, content)

    kinds = {
        200: errors.BadReplyError,
        400: errors.InvalidRequestError,
        404: errors.NotFoundError,
        429: errors.RateLimitedError,
        503: errors.ServerError,
    }
    assert type(error) is kinds[status]
    assert str(status) in error.message


def test_the_key_is_taken_out_of_what_the_server_wrote():
    error = refusal(401, told("bad key SECRET", param="SECRET"), hide="SECRET")

    assert "SECRET" not in repr(error) + str(vars(error))


def test_a_novel_is_cut():
    error = refusal(400, {"error": {"message": "word " * 10_000}})

    assert len(error.message) < 500


def test_known_codes_have_their_own_hint():
    plain = refusal(404, told("not_found")).hint

    assert refusal(404, told("voice_not_found")).hint != plain
    assert refusal(404, told("avatar_not_found")).hint != plain


def test_braces_in_a_servers_words_do_no_harm():
    assert "{detail}" in refusal(400, {"error": {"message": "{detail} {x}"}}).message
