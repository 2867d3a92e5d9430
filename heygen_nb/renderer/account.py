"""An account: who pays, and everything that is open for that purse."""

from __future__ import annotations

import asyncio
import hashlib
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from operator import attrgetter
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

from pydantic import SecretStr

from heygen_nb import errors
from heygen_nb.clock import Clock
from heygen_nb.config import LEDGER_NAME, Settings, read_credentials
from heygen_nb.files import os_errors_as
from heygen_nb.heygen import HeyGenClient
from heygen_nb.i18n import gettext as _, set_language
from heygen_nb.ledger import Hold, Ledger, PostRow, RenderRow
from heygen_nb.log import log, open_log
from heygen_nb.models import Payer, is_loopback
from heygen_nb.money import Rates, load_rates
from heygen_nb.renderer.catalogue import Catalogue, catalogue_folder
from heygen_nb.renderer.download import Downloader
from heygen_nb.sandbox.process import SandboxHandle, start_sandbox

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine
    from datetime import datetime
    from pathlib import Path

    from heygen_nb.heygen.wire import AccountReply, VideoReply
    from heygen_nb.timing import SpeechModel

SANDBOX_FOLDER = ".sandbox"
_CLOCK = Clock()
_RENEWALS_A_LEASE = 3
_LOOKS_AT_ONCE, _DOWNLOADS_AT_ONCE = 8, 4
_MOMENT_S, _WHO_S = 60.0, 5.0
# What two calls have to have in common to share an account.
_PURSE = attrgetter("backend", "heygen_base_url", "heygen_api_key", "heygen_session")
_PLACE = attrgetter("home", "videos_dir", "max_concurrent_renders")
_LOCKS: WeakValueDictionary[tuple[object, ...], asyncio.Lock] = WeakValueDictionary()


def turn(*subject: object) -> asyncio.Lock:
    """Return the lock of a subject on this event loop, as long as somebody has it."""
    return _LOCKS.setdefault((asyncio.get_running_loop(), *subject), asyncio.Lock())


@dataclass(eq=False, kw_only=True)
class Account:
    """Who pays, and what is open for that purse; calls that overlap share one.

    Attributes:
        payer: Whose renders these are.
        client: HeyGen, or the sandbox.
        ledger: Where every step is stored first.
        catalogue: All voices and avatars, to choose from.
        rates: For quotes and bills.
        clock: Time of day, passed time, and waiting.
        home: Where files are looked for that are named without a folder's path.
        videos: The archive.
        at_once: Renders in flight at once.
        sandbox: The embedded one, if that is the backend.
        private: Whether links may lead to this machine.
        users: How many have it open.
        stops: How often a wrong key or an empty purse has stopped the queue.
        stopped_by: What stopped it last.
    """

    payer: Payer
    client: HeyGenClient
    ledger: Ledger
    catalogue: Catalogue
    rates: Rates
    clock: Clock
    home: Path
    videos: Path
    at_once: int = 10
    sandbox: SandboxHandle | None = None
    private: bool = False
    users: int = 0
    stops: int = 0
    stopped_by: errors.HeygenNbError | None = None

    # What was found out since it was opened.
    pictures: set[str] = field(default_factory=set)
    asset_links: dict[str, str] = field(default_factory=dict, repr=False)  # signed
    made_before: dict[str, VideoReply] | None = None
    spoken: tuple[datetime | None, SpeechModel] | None = None
    tasks: dict[str, asyncio.Task[Any]] = field(default_factory=dict)
    wanted: dict[str, float] = field(default_factory=dict)  # videos to look at
    identified: bool = False
    closing: AsyncExitStack = field(default_factory=AsyncExitStack)
    _told: tuple[float, AccountReply] | None = None

    def __post_init__(self) -> None:
        """Make the places of single renders, of looks, and of downloads."""
        self.slots = asyncio.Semaphore(self.at_once)
        self.looks = asyncio.Semaphore(_LOOKS_AT_ONCE)
        self.downloads = asyncio.Semaphore(_DOWNLOADS_AT_ONCE)

    @cached_property
    def downloader(self) -> Downloader:
        """What fetches files."""
        return Downloader(sleep=self.clock.sleep, local=self.private)

    @asynccontextmanager
    async def used(self) -> AsyncIterator[Account]:
        """Keep it open inside of the block; its last user closes it."""
        self.users += 1
        try:
            yield self
        finally:
            self.users -= 1
            if not self.users:
                await self.closing.aclose()

    def stop(self, error: errors.HeygenNbError) -> None:
        """Let nothing that waits for its place be sent: it would fail as well."""
        self.stops += 1
        self.stopped_by = error

    def shared(
        self, name: str, work: Callable[[], Coroutine[Any, Any, Any]]
    ) -> asyncio.Future[Any]:
        """Return what one task does for all who ask for it before it is done."""
        task = self.tasks.get(name)
        if task is None or task.done():
            task = self.tasks[name] = asyncio.create_task(work())
        return asyncio.shield(task)

    @asynccontextmanager
    async def hold(
        self, table: type[RenderRow | PostRow], row_id: str | int
    ) -> AsyncIterator[Hold | None]:
        """Hold a row inside of the block; None when another process has it."""
        leases, hold = self.ledger.leases, None
        taking = asyncio.ensure_future(asyncio.to_thread(leases.take, table, row_id))
        try:
            hold = await asyncio.shield(taking)
            if hold:
                self.shared("renewing", self._renew)
            yield hold
        finally:
            if hold is None:  # cancelled meanwhile: the thread may have taken it
                with suppress(errors.LedgerError):
                    hold = await taking
            if hold:
                try:
                    # cancelled here, it would be kept for as long as a lease lasts
                    await asyncio.shield(asyncio.to_thread(leases.release, hold))
                except errors.LedgerError as error:  # it runs out by itself
                    log.warning("%s", error)

    async def _renew(self) -> None:
        leases = self.ledger.leases
        while True:
            await asyncio.sleep(leases.lease_s / _RENEWALS_A_LEASE)
            try:
                await asyncio.to_thread(leases.renew)
            except errors.LedgerError as error:
                log.warning("%s", error)

    async def identify(self) -> None:
        """Find out, once a key, whose it is: a new key of a person pays on.

        Raises:
            ApiError: HeyGen does not tell.
        """
        if self.identified:
            return
        known = await asyncio.to_thread(self.ledger.payer_known, self.payer)
        if known is None:
            who = (await self._me()).username
            person = hashlib.sha256(f"heygen_nb\0{who}".encode()).hexdigest()[:20]
            known = await asyncio.to_thread(self.ledger.know_payer, self.payer, person)
        self.payer, self.identified = known, True

    async def balance(self) -> tuple[float, str] | None:
        """Return what was left a moment ago, and its unit; None when not told."""
        told, now = self._told, self.clock.uptime()
        try:
            if told is None or now - told[0] > _MOMENT_S:
                return (await self._me()).balance
        except errors.ApiError as error:
            log.info("balance: %s", error)  # a quote is worth showing without it
            return None
        return told[1].balance

    async def _me(self) -> AccountReply:
        reply = await self.client.me()
        self._told = self.clock.uptime(), reply
        return reply

    async def close(self) -> None:
        """Stop looking and renewing; renders at HeyGen go on."""
        for task in self.tasks.values():
            task.cancel()
        await asyncio.gather(*self.tasks.values(), return_exceptions=True)
        if "downloader" in self.__dict__:
            await self.downloader.close()


_open: dict[tuple[object, ...], Account] = {}


@asynccontextmanager
async def open_account(
    settings: Settings, *, clock: Clock = _CLOCK
) -> AsyncIterator[Account]:
    """Open everything for one purse, and close it after its last user.

    Calls that overlap share it: one watcher looks at all videos, one limit counts
    for all of them.

    Args:
        settings: Of the home folder.
        clock: For tests, which have no time to wait.

    Raises:
        ConfigError: A setting does not fit.
        NotAuthorizedError: HeyGen was asked for, and there is no key.
        LedgerError: The ledger cannot be used.
        SandboxError: The sandbox does not start.
    """
    set_language(settings.language)
    values = vars(settings).values()
    secrets = [v.get_secret_value() for v in values if isinstance(v, SecretStr)]
    open_log(settings.log_path, secrets)  # a key may be new though it is shared
    loop = asyncio.get_running_loop()
    key = loop, clock, ledger_url(settings), _PURSE(settings), _PLACE(settings)
    async with turn(*key):
        if key not in _open:
            async with AsyncExitStack() as stack:
                account = _open[key] = await _opened(settings, clock, stack)
                stack.callback(_open.pop, key)
                account.closing = stack.pop_all()
        account = _open[key]
    async with account.used():
        yield account


async def _opened(settings: Settings, clock: Clock, stack: AsyncExitStack) -> Account:
    session = session_of(settings)
    opened = await asyncio.to_thread(Ledger, ledger_url(settings), now=clock.now)
    ledger = stack.enter_context(opened)
    payer, key, sandbox = await asyncio.to_thread(payer_of, settings)
    base_url = sandbox.base_url if sandbox else settings.heygen_base_url
    private, rates = is_loopback(base_url), load_rates(settings.home)
    rates = rates.in_credits() if session else rates
    heygen = HeyGenClient(key, base_url=base_url, renewed=session, sleep=clock.sleep)
    client = await stack.enter_async_context(heygen)
    folder = catalogue_folder(settings.home, payer)
    account = Account(
        payer=payer,
        client=client,
        ledger=ledger,
        catalogue=Catalogue(client, folder, allow_private=private),
        rates=rates.free() if sandbox else rates,
        clock=clock,
        home=settings.home,
        videos=settings.videos_path,
        at_once=settings.max_concurrent_renders,
        sandbox=sandbox,
        private=private,
        identified=sandbox is not None,
    )
    stack.push_async_callback(account.close)
    with suppress(errors.ApiError, TimeoutError):  # an order asks again
        async with asyncio.timeout(_WHO_S):
            await account.identify()
    return account


def payer_of(settings: Settings) -> tuple[Payer, SecretStr, SandboxHandle | None]:
    """Return who pays and with which key; start the sandbox when that is it: blocks.

    Raises:
        NotAuthorizedError: HeyGen was asked for, and there is no key.
        SandboxError: The sandbox does not start.
    """
    if settings.active_backend == "sandbox":
        folder = settings.home / SANDBOX_FOLDER
        problem = _("The sandbox cannot use {folder}: {reason}.")
        hint = _("Make room there or allow writing, then try again.")
        with os_errors_as(errors.SandboxError, problem, hint, folder=folder):
            handle = start_sandbox(folder)
        # The port changes with every start; the account does not.
        payer = Payer.of_key("sandbox", "sandbox", handle.api_key)
        return payer, SecretStr(handle.api_key), handle
    key = settings.heygen_api_key or settings.heygen_session
    if key is None:
        problem = _("There is no HeyGen key.")
        hint = _("Set HEYGEN_API_KEY, or backend: sandbox to try it for free.")
        raise errors.NotAuthorizedError(problem, hint=hint, charged=False)
    address = settings.heygen_base_url.rstrip("/")
    return Payer.of_key("heygen", address, key.get_secret_value()), key, None


def session_of(settings: Settings) -> Callable[[], SecretStr | None] | None:
    """Return what reads a signed-in session again; None when a key pays."""
    if settings.heygen_api_key or not settings.heygen_session:
        return None
    return lambda: read_credentials(settings.heygen_source).get("heygen_session")


def purse_of(settings: Settings) -> str:
    """Return which purse pays; empty in the sandbox."""
    if settings.active_backend == "sandbox":
        return ""
    return _("credits of the plan") if session_of(settings) else _("API wallet")


def ledger_url(settings: Settings) -> str:
    """Return the ledger's address: SQLite in home unless another one is set."""
    return settings.ledger_url or f"sqlite:///{settings.home / LEDGER_NAME}"
