"""Leases: one process at a time works on a row, and knows when it no longer does.

A hold carries a fencing number that grows with every change of hands. It is
compared in the very transaction of every write, so a process that slept past its
lease can neither write nor, since an intent is written first, do anything that costs.
"""

import socket
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import sqlalchemy as sa
from sqlalchemy.orm import Session

from heygen_nb.clock import uptime_s
from heygen_nb.errors import TakenOverError
from heygen_nb.i18n import gettext as _
from heygen_nb.ledger.database import Database, known
from heygen_nb.ledger.tables import Leased, PostRow, RenderRow

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
# Start times are told to a second, and the boot they count from wavers a little.
_SAME_START_S = 2.0


def owner_text(process: psutil.Process) -> str:
    """Return how an owner is written down: so that two with one number are told apart.

    That is the machine, its boot, the process's number, and when it started, in
    seconds since the boot: a clock that is set must not make a living process look
    like another.
    """
    place = f"{socket.gethostname()}/{_boot()}"
    return f"{place}/{process.pid}/{_started_s(process):.1f}"


def surely_dead(owner: str) -> bool:
    """Tell whether an owner has ended; of another machine that is never sure."""
    host, boot, pid, started_s = owner.rsplit("/", 3)
    if host != socket.gethostname():
        return False
    if boot != _boot():
        return True
    try:
        process = psutil.Process(int(pid))
        other = abs(_started_s(process) - float(started_s)) > _SAME_START_S
        return other or process.status() == psutil.STATUS_ZOMBIE
    except psutil.Error as error:  # or it is none that we may look at
        return isinstance(error, psutil.NoSuchProcess)


def _boot() -> str:
    if _BOOT_ID.exists():
        return _BOOT_ID.read_text().strip()
    return str(round(psutil.boot_time() / 60))  # it wavers by seconds


def _started_s(process: psutil.Process) -> float:
    boot = psutil.boot_time()  # first: psutil counts start times from the last it saw
    return process.create_time() - boot


LEASE_S = 60.0


@dataclass(slots=True, eq=False)
class Hold:
    """The right to work on a row.

    Attributes:
        table: Of which table.
        id: Its primary key.
        fence: The number that must still stand in the row.
        good_until_s: By our own clock; past it somebody else may have taken over.
    """

    table: type[RenderRow | PostRow]
    id: str | int
    fence: int
    good_until_s: float = field(default=0.0, repr=False)

    def check(self) -> None:
        """Make sure, without the database, that the lease has not run out.

        For the moment between a stored intent and the request itself, in which a
        laptop may have slept.

        Raises:
            TakenOverError: It has.
        """
        if uptime_s() > self.good_until_s:
            raise taken_over(self.id)


class Leases:
    """Takes, renews and gives back the leases of one process.

    Args:
        database: Of the ledger.
        owner: Who we are; by default this process.
        lease_s: How long a lease is good without being renewed.
    """

    def __init__(
        self, database: Database, owner: str | None, lease_s: float | None
    ) -> None:
        self._database = database
        self._owner = owner or owner_text(psutil.Process())
        self.lease_s = lease_s or LEASE_S
        self._held: set[Hold] = set()

    def take(self, table: type[RenderRow | PostRow], row_id: str | int) -> Hold | None:
        """Take a row unless another living owner has it.

        An owner that died on this machine is replaced at once, any other when its
        lease is over.
        """
        with self._database.writing() as session:
            row = known(session.get(table, row_id, with_for_update=True), row_id)
            if row.owner is not None and row.lease_until is not None:
                # One that ends later than any can was given by a clock set back since.
                left_s = row.lease_until - self._database.seconds(session)
                if 0 <= left_s <= 2 * self.lease_s and not surely_dead(row.owner):
                    return None
            row.owner = self._owner
            row.fence += 1
            hold = Hold(table, row_id, row.fence)
            self._extend(session, row, hold)
        self._held.add(hold)
        return hold

    def locked(self, session: Session, hold: Hold) -> Any:
        """Return the held row, locked for this transaction, the lease renewed.

        Raises:
            TakenOverError: Another process has it now.
        """
        row = session.get(hold.table, hold.id, with_for_update=True)
        if row is None or row.fence != hold.fence or row.owner != self._owner:
            raise taken_over(hold.id)
        self._extend(session, row, hold)
        return row

    def _extend(self, session: Session, row: Leased, hold: Hold) -> None:
        good_until_s = uptime_s() + self.lease_s
        row.lease_until = self._database.seconds(session) + self.lease_s
        hold.good_until_s = good_until_s

    def renew(self) -> None:
        """Renew all that this process holds, in one transaction."""
        if not (held := list(self._held)):
            return
        good_until_s, still = uptime_s() + self.lease_s, []
        with self._database.writing() as session:
            until = self._database.seconds(session) + self.lease_s
            for table in (RenderRow, PostRow):
                key = table.id, table.fence
                holds = {(h.id, h.fence): h for h in held if h.table is table}
                mine = sa.tuple_(*key).in_(holds), table.owner == self._owner
                renewed = sa.update(table).where(*mine).values(lease_until=until)
                rows = session.execute(renewed.returning(*key))
                still += [holds[row.id, row.fence] for row in rows]
        for hold in still:
            hold.good_until_s = good_until_s

    def release(self, hold: Hold) -> None:
        """Give a row back; nothing happens if another has it already."""
        self._held.discard(hold)
        with self._database.writing() as session:
            mine = hold.table.id == hold.id, hold.table.fence == hold.fence
            free = {"owner": None, "lease_until": None}
            session.execute(sa.update(hold.table).where(*mine).values(free))


def taken_over(row_id: str | int, **facts: object) -> TakenOverError:
    """Return the error for a row that another process works on now."""
    hint = _("Nothing is lost: look into the history, or resume later.")
    text = _("Another process goes on with {id}.")
    return TakenOverError(text, hint=hint, id=row_id, **facts)
