from __future__ import annotations

import pytest

from heygen_nb import errors, i18n
from heygen_nb.heygen.refusals import hint_for, means_credit, refusal


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
        *((status, False) for status in (400, 402, 403, 404, 413, 429)),
        # a key may be refused that paid for an earlier send of the same
        *((status, None) for status in (401, 409, 408, 500, 502, 200, 302)),
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


CODES = (
    *("insufficient_credit", "trial_limit_exceeded", "plan_upgrade_required"),
    *("subscription_required", "MOVIO_PAYMENT_INSUFFICIENT_CREDIT"),
    *("MOVIO_PAYMENT_FAILED", "quota_exceeded", "ai_vendor_access_restricted"),
    *("voice_not_usable", "voice_unavailable", "voice_not_found"),
    *("voice_provider_error", "avatar_not_found", "avatar_not_usable"),
    *("avatar_expired", "avatar_consent_required", "asset_not_found"),
    *("resource_not_ready", "resource_limit_reached", "script_too_short"),
    *("tts_text_invalid", "content_policy_violation", "download_failed"),
    *("service_unavailable", "internal_error", "gateway_timeout"),
    *("rendering_failed", "phone_verification_required"),
    *("ephemeral_upload_disabled", "payload_too_large"),
)


@pytest.mark.parametrize("language", ["en", "ru"])
def test_every_code_says_what_to_do_in_both_languages(language):
    i18n.set_language(language)

    for code in CODES:
        hint = hint_for(code)
        assert hint, code
        assert any("а" <= c <= "я" for c in hint.casefold()) == (language == "ru")


@pytest.mark.parametrize(
    ("status", "codes"),
    [
        (400, "invalid_parameter validation_error"),
        (401, "unauthorized authentication_failed"),
        (403, "forbidden resource_access_denied"),
        (404, "video_not_found template_not_found webhook_not_found"),
        (404, "not_found resource_not_found"),
        (409, "request_in_progress conflict"),
        (429, "rate_limit_exceeded"),
    ],
)
def test_what_the_status_says_has_a_hint_as_well(status, codes):
    for code in codes.split():
        english = refusal(status, told(code)).hint
        i18n.set_language("ru")
        russian = refusal(status, told(code)).hint
        i18n.set_language("en")
        assert english
        assert any("а" <= c <= "я" for c in russian.casefold())


@pytest.mark.parametrize(
    "code",
    [
        "insufficient_credit",
        "MOVIO_PAYMENT_INSUFFICIENT_CREDIT",
        "trial_limit_exceeded",
        "quota_exceeded",
        "subscription_required",
    ],
)
def test_an_empty_purse_is_known_by_its_code(code):
    assert means_credit(code)


@pytest.mark.parametrize("code", [None, "", "rendering_failed", "avatar_expired"])
def test_other_codes_are_no_empty_purse(code):
    assert not means_credit(code)


@pytest.mark.parametrize("status", [400, 402, 403])
def test_a_refusal_that_means_credit_is_payment_required(status):
    error = refusal(status, told("MOVIO_PAYMENT_INSUFFICIENT_CREDIT"))

    assert type(error) is errors.PaymentRequiredError
    assert error.charged is False


def test_control_characters_of_the_server_are_not_shown():
    error = refusal(400, {"error": {"code": "x", "message": "a\x1b[2J\x00b"}})

    assert "\x1b" not in str(error)
    assert "\x00" not in str(error)
