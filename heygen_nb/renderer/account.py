"""Opening what a render needs: ledger, client and, without a key, the sandbox."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import SecretStr

from heygen_nb.address import is_loopback
from heygen_nb.clock import Clock
from heygen_nb.errors import NotAuthorizedError
from heygen_nb.heygen import HeyGenClient
from heygen_nb.i18n import gettext as _
from heygen_nb.i18n import set_language
from heygen_nb.ledger import Ledger
from heygen_nb.log import open_log
from heygen_nb.models import Payer
from heygen_nb.money import load_rates
from heygen_nb.renderer.advance import Renderer
from heygen_nb.renderer.archive import Archive, Downloader
from heygen_nb.renderer.catalogue import Catalogue, catalogue_folder
from heygen_nb.renderer.resolve import Resolver
from heygen_nb.renderer.speech import Speaker
from heygen_nb.sandbox.process import start_sandbox

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from heygen_nb.config import Settings
    from heygen_nb.sandbox.process import SandboxHandle


@dataclass(frozen=True, slots=True)
class Connection:
    """An account, its key and its address; ``sandbox`` when that is the backend."""

    account: Payer
    base_url: str
    api_key: SecretStr
    sandbox: SandboxHandle | None = None


SANDBOX_FOLDER = ".sandbox"
_CLOCK = Clock()


async def connect(settings: Settings) -> Connection:
    """Choose the backend; start the embedded sandbox when it is the one.

    Raises:
        NotAuthorizedError: HeyGen was asked for, and there is no key.
        SandboxError: The sandbox does not start.
    """
    if settings.active_backend == "sandbox":
        handle = await asyncio.to_thread(start_sandbox, settings.home / SANDBOX_FOLDER)
        # The port changes with every start; the account does not.
        account = Payer.of_key("sandbox", "sandbox", handle.api_key)
        key = SecretStr(handle.api_key)
        return Connection(account, handle.base_url, key, handle)
    if settings.heygen_api_key is None:
        raise NotAuthorizedError(
            _("There is no HeyGen key."),
            hint=_("Set HEYGEN_API_KEY, or backend: sandbox to try it for free."),
            charged=False,
        )
    key = settings.heygen_api_key
    account = Payer.of_key(
        "heygen", settings.heygen_base_url.rstrip("/"), key.get_secret_value()
    )
    return Connection(account, settings.heygen_base_url, key)


class _Shared:
    """An open renderer and how many use it."""

    def __init__(self) -> None:
        self.users = 0
        self.lock = asyncio.Lock()
        self.stack = AsyncExitStack()
        self.renderer: Renderer | None = None


_shared: dict[tuple[object, ...], _Shared] = {}


@asynccontextmanager
async def open_renderer(
    settings: Settings, *, clock: Clock = _CLOCK
) -> AsyncIterator[Renderer]:
    """Open everything for one account, and close it after its last user.

    Calls that overlap share it: one watcher looks at all videos, one limit counts
    for all of them.

    Args:
        settings: Of the home folder.
        clock: For tests, which have no time to wait.

    Raises:
        ConfigError: A setting does not fit.
        LedgerError: The ledger cannot be used.
        SandboxError: The sandbox does not start.
    """
    set_language(settings.language)
    _open_log(settings)  # a key may be new although the renderer is shared
    key = (asyncio.get_running_loop(), clock, *_identity(settings))
    shared = _shared.setdefault(key, _Shared())
    shared.users += 1
    try:
        async with shared.lock:
            if shared.renderer is None:
                shared.renderer = await shared.stack.enter_async_context(
                    _opened(settings, clock)
                )
        yield shared.renderer
    finally:
        shared.users -= 1
        if not shared.users:
            del _shared[key]
            await shared.stack.aclose()


def _open_log(settings: Settings) -> None:
    secrets = (
        settings.heygen_api_key,
        settings.telegram_bot_token,
        settings.script_api_key,
    )
    open_log(settings.log_path, [s.get_secret_value() for s in secrets if s])


def _identity(settings: Settings) -> tuple[object, ...]:
    return (
        settings.home,
        ledger_url(settings),
        settings.videos_path,
        settings.active_backend,
        settings.heygen_base_url,
        settings.heygen_api_key,
        settings.max_concurrent_renders,
    )


@asynccontextmanager
async def _opened(settings: Settings, clock: Clock) -> AsyncIterator[Renderer]:
    sleep = clock.sleep
    rates = load_rates(settings.home)
    async with AsyncExitStack() as stack:
        ledger = stack.enter_context(
            await asyncio.to_thread(Ledger, ledger_url(settings), now=clock.now)
        )
        connection = await connect(settings)
        client = await stack.enter_async_context(
            HeyGenClient(connection.api_key, base_url=connection.base_url, sleep=sleep)
        )
        account = connection.account
        catalogue = Catalogue(
            client,
            catalogue_folder(settings.home, account),
            allow_private=is_loopback(connection.base_url),
        )
        downloader = Downloader(sleep=sleep)
        stack.push_async_callback(downloader.close)
        rates = rates.free() if connection.sandbox else rates
        renderer = Renderer(
            connection=connection,
            client=client,
            ledger=ledger,
            catalogue=catalogue,
            resolver=Resolver(
                client,
                allow_private=is_loopback(connection.base_url),
                catalogue=catalogue,
                home=settings.home,
            ),
            archive=Archive(
                settings.videos_path,
                client=client,
                ledger=ledger,
                downloader=downloader,
                now=clock.now,
            ),
            rates=rates,
            speaker=Speaker(
                connection.account,
                client,
                ledger,
                rates=rates,
                downloader=downloader,
                folder=settings.videos_path / "speech",
            ),
            max_concurrent=settings.max_concurrent_renders,
            clock=clock,
        )
        stack.push_async_callback(renderer.close)
        yield renderer


def ledger_url(settings: Settings) -> str:
    """Return the ledger's address: SQLite in home unless another one is set."""
    return settings.ledger_url or f"sqlite:///{settings.home / 'heygen_nb.db'}"
