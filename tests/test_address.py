from __future__ import annotations

import pytest

from heygen_nb.errors import ConfigError
from heygen_nb.models import check_address, is_loopback


@pytest.mark.parametrize(
    "url",
    [
        "http://api.heygen.com",
        "http://127.0.0.1.evil.example",
        "http://localhost.evil.example",
        "http://127.0.0.1@evil.example",
        "http://192.168.0.1",
        "http://0.0.0.0",
        "ftp://127.0.0.1",
        "file:///etc/passwd",
        "api.heygen.com",
        "",
        "https://",
        "https://a.example:99999",
        "https://a.example:0",
        "https://a.example\n",
        "https://a b.example",
        "http://[::1",
        "https://name:password@a.example",
    ],
)
def test_an_address_that_is_not_safe_for_a_key_is_refused(url):
    with pytest.raises(ConfigError):
        check_address(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://api.heygen.com",
        "HTTPS://api.heygen.com:8443/x",
        "http://127.0.0.1:8000",
        "http://127.8.9.1",
        "http://localhost/bot",
        "http://[::1]:1",
    ],
)
def test_https_and_this_machine_are_fine(url):
    assert check_address(url) == url


def test_a_key_pasted_as_the_address_is_not_shown():
    for pasted in ("sk_secret", "http://user:sk_secret@host.example"):
        with pytest.raises(ConfigError) as caught:
            check_address(pasted)

        assert "sk_secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "here"),
    [("http://LOCALHOST:1", True), ("https://127.0.0.1", True), ("https://a", False)],
)
def test_this_machine_is_known(url, here):
    assert is_loopback(url) is here
