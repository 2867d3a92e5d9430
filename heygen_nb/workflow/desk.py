"""What the panels work on: settings, drafts, renders and history of one home folder.

The panels know this module instead of the ledger, HeyGen and Telegram.
"""

from __future__ import annotations

import asyncio
import weakref
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any

from heygen_nb import config
from heygen_nb.config import VIDEO_KEYS, Settings, find_home, load_settings
from heygen_nb.errors import ConfigError
from heygen_nb.i18n import set_language
from heygen_nb.ledger import Ledger
from heygen_nb.renderer import (
    draft_settings,
    effective_settings,
    update_video_config,
)
from heygen_nb.renderer.account import ledger_url
from heygen_nb.renderer.request import picture_and_sound, revision_of
from heygen_nb.workflow.backgrounds import Backgrounds
from heygen_nb.workflow.book import DraftBook
from heygen_nb.workflow.catalogue import Choices
from heygen_nb.workflow.jobs import Job, Jobs
from heygen_nb.workflow.lengths import Lengths
from heygen_nb.workflow.past import Past
from heygen_nb.workflow.session import open_session
from heygen_nb.workflow.tables import Tables
from heygen_nb.workflow.writing import Writing

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine
    from pathlib import Path

    from heygen_nb.errors import LimitError
    from heygen_nb.models import Draft
    from heygen_nb.renderer import Plan
    from heygen_nb.timing import Fit
    from heygen_nb.workflow.session import Session


class Desk:
    """One home folder in one kernel; all panels on it see the same.

    Args:
        settings: By default read from home. A config.yaml that cannot be read
            leaves the defaults and ``broken``, and is not touched.

    Attributes:
        settings: What holds now.
        broken: Why config.yaml could not be read.
        book: The drafts.
        catalogue: The voices and avatars of the account.
        past: The history.
        writing: New drafts and new texts.
        jobs: Renders under way, and the log.
        backgrounds: Pictures that were brought in.
    """

    def __init__(self, settings: Settings | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        self.broken: ConfigError | None = None
        self.settings = settings or self._read()
        set_language(self.settings.language)
        self._listeners: set[Callable[[str], None]] = set()
        self._opening = asyncio.Lock()
        self._kept = AsyncExitStack()
        self._kept_for: Settings | None = None
        self._ledger: Ledger | None = None
        self._lengths = Lengths()
        self._finishing: set[asyncio.Task[object]] = set()
        self.book = DraftBook(self.ledger, self.tell)
        self.catalogue = Choices(self.session)
        self.past = Past(self.ledger, self.session)
        self.writing = Writing(lambda: self.video_settings, lambda: self._lengths)
        self.jobs = Jobs(self.session, self.tell)
        self.backgrounds = Backgrounds(
            lambda: self.settings.home, self.ledger, self.session
        )
        self.tables = Tables(self)

    def _read(self) -> Settings:
        try:
            self.broken = None
            return load_settings()
        except ConfigError as error:
            self.broken = error
            return Settings.model_validate({"home": find_home()})

    # What happens is told to every panel.

    def listen(self, listener: Callable[[str], None]) -> None:
        """Call ``listener`` with the topic of every change.

        Topics: ``language``, ``settings``, ``drafts``, ``jobs``, ``log``.
        """
        self._listeners.add(listener)

    def leave(self, listener: Callable[[str], None]) -> None:
        """Stop calling; when the last listener leaves, everything is let go of."""
        self._listeners.discard(listener)
        if not self._listeners:
            self.finish(self.close())

    def finish(self, work: Coroutine[Any, Any, object]) -> None:
        """Start work that has to be done although its panel is gone."""
        if self._loop.is_closed():
            work.close()
            return
        task = self._loop.create_task(work)
        self._finishing.add(task)
        task.add_done_callback(self._finishing.discard)

    def tell(self, topic: str) -> None:
        """Tell all listeners that something has changed."""
        for listener in list(self._listeners):
            listener(topic)

    # One session for all panels; a new one when the account changes.

    @asynccontextmanager
    async def session(self) -> AsyncIterator[Session]:
        """Give a session; what it needs is started once and then kept.

        Raises:
            HeygenNbError: It cannot be opened.
        """
        async with self._opening:
            if self._kept_for is not self.settings:
                settings, stack = self.settings, AsyncExitStack()
                await stack.enter_async_context(open_session(settings))
                old, self._kept, self._kept_for = self._kept, stack, settings
                await old.aclose()
        async with open_session(self.settings) as session:
            yield session

    async def ledger(self) -> Ledger:
        """Open the ledger, without waiting for a backend."""
        async with self._opening:
            if self._ledger is None:
                url = ledger_url(self.settings)
                self._ledger = await asyncio.to_thread(Ledger, url)
            return self._ledger

    async def close(self) -> None:
        """Stop waiting for renders and let go of everything."""
        await self.jobs.close()
        await self._kept.aclose()
        self._kept_for = None
        if self._ledger:
            self._ledger.close()
            self._ledger = None

    # Settings.

    @property
    def video_settings(self) -> Settings:
        """What the next render uses: the settings under VIDEO_CONFIG."""
        return effective_settings(self.settings)

    async def save_settings(self, **changes: Any) -> None:
        """Write changed settings to config.yaml; the next render uses them.

        Raises:
            ConfigError: A value does not fit, or the file is broken.
        """
        background = changes.get("heygen_background_url")
        if background and background != self.video_settings.heygen_background_url:
            async with self.session() as session:
                await session.renderer.resolver.background(background)
        config.save_settings(self.settings.home, **changes)
        video = {k: changes[name] for k, name in VIDEO_KEYS.items() if name in changes}
        update_video_config(**video)
        self._reload()

    async def save_secret(self, key: str, value: str) -> None:
        """Keep a key or token in ``.env``; an empty one removes it.

        Raises:
            ConfigError: It cannot be a key, or cannot be written.
        """
        config.save_secret(self.settings.home, key, value)
        self._reload()

    async def set_language(self, language: str) -> None:
        """Switch the language of all panels, and keep it if config.yaml is whole."""
        set_language(language)
        self.settings = self.settings.model_copy(update={"language": language})
        self.tell("language")
        if not self.broken:
            await self.save_settings(language=language)

    async def set_aside_broken_config(self) -> None:
        """Move a config.yaml that cannot be read away, so that one can be saved."""
        file = self.settings.home / config.CONFIG_NAME
        file.replace(file.with_suffix(".broken.yaml"))
        self._reload()

    def _reload(self) -> None:
        self.settings = self._read()
        set_language(self.settings.language)
        self.tell("settings")

    # Questions to the services; none costs anything.

    async def balance(self) -> tuple[float, str] | None:
        """Return what is left and its unit; None when HeyGen does not tell."""
        async with self.session() as session:
            return (await session.renderer.client.me()).balance

    async def check_chat(self) -> str:
        """Return the bot's and the chat's name; nothing is posted."""
        async with self.session() as session:
            return await session.posting.check()

    async def quote(self, draft: Draft, *, again: bool = False) -> Plan | None:
        """Return what rendering would use and cost; None if it is paid already.

        Args:
            draft: As it is saved.
            again: Also say so when it is.
        """
        async with self.session() as session:
            plans = await session.quote_all([draft], again=again)
            return plans[0] if plans else None

    async def speak(self, draft: Draft) -> Path:
        """Have a draft's speech made and paid, to be heard; see Session.speak."""
        async with self.session() as session:
            return await session.speak(draft)

    async def over_limit(self, plan: Plan) -> LimitError | None:
        """Return which limit of the settings rendering would pass, if any."""
        async with self.session() as session:
            return await session.over_limit([plan])

    async def learn(self, voice: str | None = None) -> None:
        """Learn from finished renders how long scripts take, for :meth:`fit`.

        Args:
            voice: What a draft wishes, besides the settings' own.
        """
        ledger, settings = await self.ledger(), self.video_settings
        self._lengths = await asyncio.to_thread(
            Lengths.learned, ledger, settings, voice
        )

    def fit(self, script: str, target_s: float, voice: str | None = None) -> Fit:
        """Return how near a script comes to a length, said by a draft's voice."""
        settings = self.video_settings
        wish = voice or settings.heygen_voice
        return self._lengths.fit(script, target_s, settings, wish)

    # Work on one draft.

    def render(self, draft: Draft, *, unlimited: bool = False) -> Job:
        """Start rendering a draft; see :meth:`Jobs.start`.

        Args:
            draft: As it is saved.
            unlimited: Somebody was asked, and agreed to pass the limits.
        """
        revision = revision_of(picture_and_sound(draft, self._settings_for(draft)))
        send = self.settings.telegram_auto_send
        return self.jobs.start(draft, revision, send=send, unlimited=unlimited)

    def take_up(self) -> None:
        """Go on with what is not finished, by whomever it was begun."""
        self.jobs.take_up()

    def _settings_for(self, draft: Draft) -> Settings:
        return draft_settings(draft, self.video_settings)

    async def preview(self, draft: Draft) -> Path:
        """Make the animatic of a draft, unless it is there; older ones are deleted."""
        from heygen_nb.renderer.animatic import (  # noqa: PLC0415 - 0.2 s of codecs
            kept_preview,
        )

        return await kept_preview(draft, self._settings_for(draft))

    async def send(self, job: Job, *, again: bool = False) -> None:
        """Post the video of a job under the caption that its draft has by now."""
        row = await self.book.get(job.draft.id)
        draft = row.draft if row else job.draft
        await self.jobs.send(job, draft.caption, again=again)


_desks: weakref.WeakValueDictionary[asyncio.AbstractEventLoop, Desk] = (
    weakref.WeakValueDictionary()
)


def shared_desk() -> Desk:
    """Return the desk of this kernel; two Studios in it show the same renders."""
    loop = asyncio.get_running_loop()
    desk = _desks.get(loop)
    if desk is None or desk.settings.home != find_home():
        desk = _desks[loop] = Desk()
    return desk
