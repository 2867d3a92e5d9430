from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from heygen_nb.models import Payer

SHA, OTHER = "a" * 64, "b" * 64


def keep(ledger, account, sha256=SHA, asset_id="asset_1"):
    return ledger.assets.keep(account, sha256, asset_id, name="sea.png", size=7)


def test_an_upload_is_found_again_by_content_and_account(open_ledger, account):
    keep(open_ledger(), account)

    assets = open_ledger().assets  # as another process
    assert assets.find(account, SHA) == "asset_1"
    assert assets.find(account, OTHER) is None
    assert assets.find(Payer("heygen", account.base_url, "another"), SHA) is None


def test_of_two_uploads_of_one_file_the_first_stands(open_ledger, account):
    first, second = open_ledger(), open_ledger()

    assert keep(first, account, asset_id="asset_1") == "asset_1"
    assert keep(second, account, asset_id="asset_2") == "asset_1"
    assert second.assets.find(account, SHA) == "asset_1"


def test_uploads_noted_at_once_agree_on_one(open_ledger, account):
    ledgers = [open_ledger() for _ in range(4)]
    with ThreadPoolExecutor(4) as threads:
        jobs = [
            threads.submit(keep, ledger, account, asset_id=f"asset_{n}")
            for n, ledger in enumerate(ledgers)
        ]

    assert {job.result() for job in jobs} == {ledgers[0].assets.find(account, SHA)}


def test_what_is_forgotten_is_gone_for_its_account_only(open_ledger, account):
    ledger = open_ledger()
    other = Payer("heygen", account.base_url, "another")
    keep(ledger, account)
    keep(ledger, account, OTHER, "asset_2")
    keep(ledger, other)

    ledger.assets.forget(account.fingerprint, {"asset_1", "asset_9"})

    assert ledger.assets.find(account, SHA) is None
    assert ledger.assets.find(account, OTHER) == "asset_2"
    assert ledger.assets.find(other, SHA) == "asset_1"
    assert keep(ledger, account, asset_id="asset_3") == "asset_3"


def test_colours_and_links_of_past_renders_come_back_newest_first(
    open_ledger, account, new_render
):
    ledger = open_ledger()
    used = ("#102030", "https://x.example/a.png", "", "sha256:ab", "#102030", "#ffffff")
    for number, value in enumerate(used):
        inputs = {"background_url": value}
        ledger.plan(account, new_render(f"d{number}", inputs=inputs))

    assert ledger.facts.backgrounds() == [
        "#ffffff",
        "#102030",
        "https://x.example/a.png",
    ]
    assert ledger.facts.backgrounds(limit=1) == ["#ffffff"]
