from __future__ import annotations

import os
import subprocess
import sys
import time

import psutil
import pytest
from sqlalchemy import Engine, event

from heygen_nb.errors import TakenOverError
from heygen_nb.ledger import Ledger, PostRow, RenderRow, leases
from heygen_nb.ledger.database import Database
from heygen_nb.ledger.leases import owner_text, surely_dead

NO_TIME = 0.0001


@pytest.fixture
def later(monkeypatch):
    """Let time pass, for the database and for this process."""
    passed, seconds, uptime_s = [0.0], Database.seconds, leases.uptime_s
    monkeypatch.setattr(Database, "seconds", lambda *args: seconds(*args) + sum(passed))
    monkeypatch.setattr(leases, "uptime_s", lambda: uptime_s() + sum(passed))
    return passed.append


@pytest.fixture
def row(ledger, account, new_render):
    return ledger.plan(account, new_render())[0]


def test_only_one_living_owner_has_a_row(open_ledger, ledger, row):
    other = open_ledger()

    first, second = (
        ledger.leases.take(RenderRow, row.id),
        other.leases.take(RenderRow, row.id),
    )

    assert first is not None
    assert second is None


def test_a_row_given_back_can_be_taken(open_ledger, ledger, row):
    other = open_ledger()
    ledger.leases.release(ledger.leases.take(RenderRow, row.id))

    assert other.leases.take(RenderRow, row.id) is not None


def test_the_same_process_cannot_take_a_row_twice(ledger, row):
    ledger.leases.take(RenderRow, row.id)

    assert ledger.leases.take(RenderRow, row.id) is None


def test_an_owner_elsewhere_is_replaced_when_its_lease_is_over(open_ledger, row, later):
    slow, other = open_ledger(lease_s=30), open_ledger()
    slow.leases.take(RenderRow, row.id)

    early = other.leases.take(RenderRow, row.id)
    later(31)
    late = other.leases.take(RenderRow, row.id)

    assert early is None
    assert late is not None


def test_a_renewed_lease_goes_on(open_ledger, row, later):
    slow, other = open_ledger(lease_s=30), open_ledger()
    hold = slow.leases.take(RenderRow, row.id)
    for _ in range(4):
        later(20)
        slow.leases.renew()

    assert other.leases.take(RenderRow, row.id) is None
    hold.check()


def test_who_slept_past_the_lease_can_neither_write_nor_send(open_ledger, row):
    sleeper, other = open_ledger(lease_s=NO_TIME), open_ledger()
    stale = sleeper.leases.take(RenderRow, row.id)
    time.sleep(0.01)
    other.leases.take(RenderRow, row.id)

    with pytest.raises(TakenOverError):
        stale.check()
    with pytest.raises(TakenOverError):
        sleeper.before_send(stale, sleeper._now())
    with pytest.raises(TakenOverError):
        sleeper.record(stale, "submitted", state="submitted", video_id="wrong")

    found = other.render(row.id)
    assert (found.state, found.sends, found.video_id) == ("planned", 0, None)


def test_renewing_does_not_bring_back_what_was_taken_over(open_ledger, row):
    sleeper, other = open_ledger(lease_s=NO_TIME), open_ledger()
    stale = sleeper.leases.take(RenderRow, row.id)
    time.sleep(0.01)
    hold = other.leases.take(RenderRow, row.id)

    sleeper.leases.renew()
    sleeper.leases.release(stale)

    with pytest.raises(TakenOverError):
        stale.check()
    assert other.record(hold, "fine").owner is not None


def test_a_write_renews_the_lease(open_ledger, row, later):
    sleeper = open_ledger(lease_s=30)
    hold = sleeper.leases.take(RenderRow, row.id)
    later(20)
    sleeper.record(hold, "still here")
    later(20)

    hold.check()


def test_a_lease_from_a_clock_that_was_set_back_does_not_last_for_years(
    open_ledger, ledger, row
):
    ledger.leases.take(RenderRow, row.id)
    with ledger.database.writing() as session:
        session.get(RenderRow, row.id).lease_until += 365 * 86400

    assert open_ledger().leases.take(RenderRow, row.id) is not None


def test_a_dead_owner_on_this_machine_is_replaced_at_once(open_ledger, row):
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    owner = owner_text(psutil.Process(child.pid))
    open_ledger(owner=owner).leases.take(RenderRow, row.id)
    alive = open_ledger().leases.take(RenderRow, row.id)
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # dead, not yet buried
    zombie = open_ledger().leases.take(RenderRow, row.id)
    child.communicate()

    assert alive is None
    assert zombie is not None


@pytest.mark.parametrize(
    ("place", "change"), [(1, "an earlier boot"), (3, "1.5"), (2, str(2**22 + 1))]
)
def test_a_reused_process_number_is_not_the_owner(place, change):
    ours = owner_text(psutil.Process())
    other = ours.split("/")
    other[place] = change

    assert not surely_dead(ours)
    assert surely_dead("/".join(other))


@pytest.mark.parametrize("host", ["elsewhere", "with/slash", "имя"])
def test_of_another_machine_nothing_is_sure(host):
    assert not surely_dead(f"{host}/x/{os.getpid()}/1.0")


def test_a_machines_name_may_have_a_slash(monkeypatch):
    monkeypatch.setattr(leases.socket, "gethostname", lambda: "with/slash")

    assert not surely_dead(owner_text(psutil.Process()))
    assert surely_dead("with/slash/an earlier boot/1/1.0")


def test_a_post_is_leased_by_its_first_message(ledger, open_ledger):
    first, second = ledger.posts.plan(
        None, video_id="v", backend="heygen", chat_id="@c", texts=["a", "b"]
    )
    stale = open_ledger(lease_s=NO_TIME)
    old = stale.leases.take(PostRow, first.id)
    time.sleep(0.01)
    hold = ledger.leases.take(PostRow, first.id)

    with pytest.raises(TakenOverError):
        stale.posts.record(old, second.id, "sending")

    assert ledger.posts.record(hold, second.id, "sending").state == "sending"


def test_many_rows_are_renewed_at_once(tmp_path, account, new_render, request):
    statements = []

    def note(*told):
        statements.append(told[2])

    with Ledger(f"sqlite:///{tmp_path / 'many.db'}") as ledger:
        for number in range(40):
            row, _new = ledger.plan(account, new_render(f"d{number}"))
            ledger.leases.take(RenderRow, row.id)
        event.listen(Engine, "before_cursor_execute", note)
        request.addfinalizer(
            lambda: event.remove(Engine, "before_cursor_execute", note)
        )

        ledger.leases.renew()

    assert len(statements) < 8
