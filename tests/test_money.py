from __future__ import annotations

import pytest

from heygen_nb.errors import ConfigError
from heygen_nb.money import load_rates


def test_the_shipped_rates_name_their_source_and_are_quoted(home):
    quote = load_rates(home).quote("avatar_iv", 30)

    assert quote.amount == pytest.approx(30 * quote.rate)
    assert quote.currency == "usd"
    assert quote.source


def test_an_engine_that_is_not_in_the_table_costs_the_dearest(home):
    rates = load_rates(home)

    assert rates.quote("avatar_xi", 10).rate == max(rates.engines.values())


def test_the_users_own_table_wins(home):
    (home / "rates.yaml").write_text("currency: credits\nengines: {avatar_iv: 0.1}\n")

    quote = load_rates(home).quote("avatar_iv", 30)

    assert quote.amount == pytest.approx(3.0)
    assert quote.currency == "credits"


@pytest.mark.parametrize(
    "text", ["", "engines: {}\n", "engines: {a: dear}\n", "a: [\n", "rate: 1\n"]
)
def test_a_broken_table_is_named(home, text):
    (home / "rates.yaml").write_text(text)

    with pytest.raises(ConfigError, match=r"rates\.yaml"):
        load_rates(home)


def test_the_sandbox_is_free(home):
    assert load_rates(home).free().quote("avatar_iv", 30).amount == 0
