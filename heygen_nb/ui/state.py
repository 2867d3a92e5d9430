"""What all panels of a kernel share: settings, drafts, renders of one home folder.

The panels know this module instead of the ledger, HeyGen and Telegram.
"""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import datetime
from operator import attrgetter
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from pydantic import SecretStr

from heygen_nb import config, renderer
from heygen_nb.config import Settings
from heygen_nb.errors import ConfigError, HeygenNbError
from heygen_nb.heygen.wire import VoiceReply
from heygen_nb.i18n import set_language
from heygen_nb.ledger import Ledger
from heygen_nb.ledger.tables import DraftRow
from heygen_nb.models import SCRIPT_LANGUAGES, Draft, Voice
from heygen_nb.renderer import animatic, order, request, resolve
from heygen_nb.renderer.account import Account, ledger_url, open_account
from heygen_nb.renderer.catalogue import Kind, Listing
from heygen_nb.timing import script_language
from heygen_nb.ui.jobs import Jobs
from heygen_nb.writing import Writing

T = TypeVar("T")
Listener = Callable[[str], None]
_STATUS = {
    "planned": "rendering",
    "submitted": "rendering",
    "completed": "rendered",
    "downloaded": "rendered",
    "rejected": "failed",
}
"""What a state counts as; others go by their own name."""


class SharedState:
    """One home folder in one kernel; all panels on it see the same.

    Args:
        settings: By default read from home. A config.yaml that cannot be read
            leaves the defaults and ``broken``, and is not touched.

    Attributes:
        settings: What holds now.
        broken: Why config.yaml could not be read.
        drafts: What is written.
        writing: Writes new drafts and new texts.
        jobs: Renders under way, and the log.
    """

    def __init__(self, settings: Settings | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        self.broken: ConfigError | None = None
        self.settings = settings or self._read()
        set_language(self.settings.language)
        self._listeners: set[Listener] = set()
        self._opening, self._closing = asyncio.Lock(), asyncio.Lock()
        self._kept = AsyncExitStack()
        self._kept_for: Settings | None = None
        self._account: Account | None = None
        self._ledger: Ledger | None = None
        self._farewells: set[asyncio.Task[object]] = set()
        self._ending: weakref.WeakSet[asyncio.Task[None]] = weakref.WeakSet()
        self.drafts = DraftStore(self)
        self.writing = Writing(lambda: self.video_settings)
        self.jobs = Jobs(self)

    def _read(self) -> Settings:
        try:
            self.broken = None
            return config.load_settings()
        except ConfigError as error:
            self.broken = error
            return Settings.model_validate({"home": config.find_home()})

    # What happens is told to every panel.

    def listen(self, listener: Listener) -> None:
        """Call ``listener`` with the topic of every change.

        Topics: ``language``, ``settings``, ``account``, ``drafts``; ``jobs`` when
        one begins or ends, ``renders`` when the ledger tells something else of one.
        """
        self._listeners.add(listener)

    def leave(self, listener: Listener, *tasks: asyncio.Task[None]) -> None:
        """Stop calling; when the last listener leaves, everything is let go of.

        Args:
            listener: Of :meth:`listen`.
            tasks: Cancelled ones that may hold a connection until they have ended.
        """
        self._ending.update(tasks)
        self._listeners.discard(listener)
        if not self._listeners:
            self.see_through(self.close())

    def see_through(self, work: Coroutine[Any, Any, object]) -> None:
        """Start work that has to be done although its panel is gone."""
        if self._loop.is_closed():
            work.close()
            return
        task = self._loop.create_task(work)
        self._farewells.add(task)
        task.add_done_callback(self._farewells.discard)

    async def settled(self) -> None:
        """Wait until the work of closed panels is done."""
        await asyncio.gather(*self._farewells)

    def tell(self, topic: str) -> None:
        """Tell all listeners that something has changed."""
        for listener in list(self._listeners):
            listener(topic)

    # One account for all panels; another one when the key changes.

    @asynccontextmanager
    async def account(self) -> AsyncIterator[Account]:
        """Give the account; what it needs is started once and then kept.

        Raises:
            HeygenNbError: It cannot be opened.
        """
        async with self._opening:
            account = self._account
            if account is None or self._kept_for is not self.settings:
                settings, stack = self.settings, AsyncExitStack()
                account = await stack.enter_async_context(open_account(settings))
                old, self._kept, self._kept_for = self._kept, stack, settings
                self._account = account
                await old.aclose()
        async with account.used():
            yield account

    @asynccontextmanager
    async def trial(self, **typed: str) -> AsyncIterator[tuple[Account, Settings]]:
        """Give the account of settings that are typed and not saved yet, and them.

        Raises:
            HeygenNbError: It cannot be opened.
        """
        secrets = {k: SecretStr(v) for k, v in typed.items() if k in config.SECRETS}
        settings = self.settings.model_copy(update={**typed, **secrets})
        async with open_account(settings) as account:
            yield account, settings

    async def ledger(self) -> Ledger:
        """Open the ledger, without waiting for a backend."""
        async with self._opening:
            if self._ledger is None:
                url = ledger_url(self.settings)
                self._ledger = await asyncio.to_thread(Ledger, url)
            return self._ledger

    async def read(self, work: Callable[[Ledger], T]) -> T:
        """Do work with the ledger, in a thread."""
        return await asyncio.to_thread(work, await self.ledger())

    async def close(self) -> None:
        """Stop waiting for renders and let go of everything."""
        async with self._closing:  # the last panel may be at it already
            await self.jobs.close()
            await asyncio.gather(*self._ending, return_exceptions=True)
            kept, self._kept, self._kept_for = self._kept, AsyncExitStack(), None
            await kept.aclose()  # who opens a panel meanwhile gets another one
            if self._ledger:
                self._ledger.close()
                self._ledger = None

    # Settings

    @property
    def video_settings(self) -> Settings:
        """What the next render uses: the settings under VIDEO_CONFIG."""
        return renderer.effective_settings(self.settings)

    async def save_settings(self, **changes: Any) -> None:
        """Write changed settings to config.yaml; the next render uses them.

        Raises:
            ConfigError: A value does not fit, or the file is broken.
        """
        background = changes.get("heygen_background_url")
        if background and background != self.video_settings.heygen_background_url:
            async with self.account() as account:
                await resolve.background_meant(account, background)
        config.save_settings(self.settings.home, **changes)
        names = config.VIDEO_KEYS.items()
        changed = {key: changes[name] for key, name in names if name in changes}
        renderer.update_video_config(**changed)
        self.reload()

    async def save_secret(self, key: str, value: str) -> None:
        """Keep a key or token in ``.env``; an empty one removes it.

        Raises:
            ConfigError: It cannot be a key, or cannot be written.
        """
        config.save_secret(self.settings.home, key, value)
        self.reload()

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
        self.reload()

    def reload(self) -> None:
        """Read the settings again."""
        before = _account_of(self.settings)
        self.settings = self._read()
        set_language(self.settings.language)
        if _account_of(self.settings) != before:
            self.tell("account")
        self.tell("settings")

    # What there is to choose from

    async def listed(self, kind: Kind, **options: Any) -> Sequence[Any]:
        """Return every voice or avatar, as :class:`Catalogue` lists them."""
        async with self.account() as account:
            found: Sequence[Any] = await getattr(account.catalogue, kind)(**options)
            return found

    def listing(self, kind: Kind) -> Listing[Any] | None:
        """Return the list behind voices or avatars, as far as it is at hand."""
        return self._account.catalogue.lists[kind] if self._account else None

    def name_of(self, wish: str) -> str:
        """Return the name behind an id, as far as it is at hand; else the wish."""
        return self._account.catalogue.name_of(wish) if self._account else wish

    async def voice_meant(self, wish: str) -> VoiceReply | None:
        """Return the voice that a setting stands for; None if that is not clear."""
        async with self.account() as account:
            hits = resolve.meant(wish, await account.catalogue.said.get())
            return hits[0] if len(hits) == 1 else None

    # Work on drafts

    async def quote(
        self, drafts: Sequence[Draft], *, again: bool = False
    ) -> list[request.Proposal]:
        """Return what rendering would use and cost, without what is paid already.

        Args:
            drafts: As they are saved.
            again: Also return what is paid.
        """
        async with self.account() as account:
            return await order.quote_all(account, drafts, self.settings, again=again)

    async def fitting_voice(self, draft: Draft) -> Voice | None:
        """Return a voice of the script's language, if the draft's speaks another."""
        used = await self.voice_meant(draft.voice or self.video_settings.heygen_voice)
        written = script_language(draft.script)
        if not (used and request.is_foreign(used, written)):
            return None
        language = SCRIPT_LANGUAGES[written]
        exact = self.video_settings.length_mode == "exact"
        voices = await self.listed("voices")
        fitting = (
            voice
            for voice in voices
            if voice.language.startswith(language) and (voice.exact or not exact)
        )
        return next(fitting, None)

    async def wish_for(self, voice: Voice) -> str:
        """Return what stands for a voice in a draft or in the settings.

        A name is what people read in files; the id only where names meet twice.
        """
        voices = await self.listed("voices")
        same = [v for v in voices if v.name.casefold() == voice.name.casefold()]
        return voice.name if len(same) == 1 else voice.id

    async def voiced(self, drafts: Sequence[Draft]) -> list[Draft]:
        """Return drafts with a voice of their language where the set one has another.

        Those that name a voice keep it.
        """
        wishes: dict[str, str | None] = {}
        for draft in drafts:
            language = script_language(draft.script)
            if draft.voice or language in wishes:
                continue
            wish = self.writing.voice_for(draft.script)
            with suppress(HeygenNbError):  # the question before paying will tell
                if not wish and (voice := await self.fitting_voice(draft)):
                    wish = await self.wish_for(voice)
            wishes[language] = wish
        spoken = [d.voice or wishes[script_language(d.script)] for d in drafts]
        pairs = zip(drafts, spoken, strict=True)
        return [draft.model_copy(update={"voice": voice}) for draft, voice in pairs]

    async def preview(self, draft: Draft) -> Path:
        """Make the animatic of a draft, unless it is there; older ones are deleted."""
        own = renderer.settings_for(draft, self.settings)
        return await animatic.kept_preview(draft, own)


class KeptDraft(NamedTuple):
    """A draft as it is stored.

    Attributes:
        draft: What the user wrote.
        version: Grows with every save; 0 when it was never saved.
        saved_at: Of that version.
        status: ``draft``, or what became of its newest render: ``rendering``,
            ``rendered``, ``sent``, ``failed``, ``unknown``.
    """

    draft: Draft
    version: int
    saved_at: datetime | None = None
    status: str = "draft"

    @classmethod
    def of(cls, row: DraftRow, state: str = "") -> KeptDraft:
        """Make it of a row, and of the state of the newest render."""
        status = _STATUS.get(state, state or "draft")
        return cls(Draft.of(row), row.version, row.updated_at, status)


class DraftStore:
    """Keeps drafts; nobody's edit is lost to somebody else's.

    Args:
        shared: Gives the ledger, and is told ``drafts`` after every change.
    """

    def __init__(self, shared: SharedState) -> None:
        self._read, self._tell = shared.read, shared.tell

    async def search(
        self, words: str, *, limit: int, status: str = "", by: str = ""
    ) -> tuple[list[KeptDraft], int]:
        """Return the first drafts that hold all the words, and how many there are.

        Args:
            words: Parts of id, title, script or caption.
            limit: How many are returned at most.
            status: Only those; see :class:`KeptDraft`.
            by: ``title``, ``length``, or ``oldest``; by default the newest first.
        """
        wanted = words.casefold().split()

        def find(ledger: Ledger) -> tuple[list[KeptDraft], int]:
            found = [row for row in ledger.drafts.all() if _holds(row, wanted)]
            if by:
                found.sort(key=_ORDERS[by])
            asked = found if status else found[:limit]
            states = ledger.drafts.states([row.id for row in asked])
            kept = [KeptDraft.of(row, states.get(row.id, "")) for row in asked]
            if not status:
                return kept, len(found)
            kept = [one for one in kept if one.status == status]
            return kept[:limit], len(kept)

        return await self._read(find)

    async def get(self, draft_id: str) -> KeptDraft | None:
        """Return a draft; None when it is deleted or never was."""
        row = await self._read(lambda ledger: ledger.drafts.get(draft_id))
        return KeptDraft.of(row) if row else None

    async def these(self, draft_ids: Sequence[str]) -> list[Draft]:
        """Return drafts in this order, without those that are deleted."""
        rows = await self._read(lambda ledger: ledger.drafts.these(draft_ids))
        return [Draft.of(row) for row in rows]

    async def save(self, draft: Draft, *, over: int) -> tuple[KeptDraft, bool]:
        """Store a draft.

        Args:
            draft: What is typed.
            over: The version that it was made from.

        Returns:
            What is stored now, and whether it is this draft: false when somebody
            else has saved another version in the meantime.
        """
        row, saved = await self._read(
            lambda ledger: ledger.drafts.save(draft, over=over)
        )
        if saved:
            self._tell("drafts")
        return KeptDraft.of(row), saved

    async def add(
        self, drafts: Sequence[Draft], *, replace: bool = False
    ) -> tuple[int, list[str]]:
        """Add many drafts at once.

        Args:
            drafts: What they say.
            replace: Also write over those that say something else here.

        Returns:
            How many are new, and the ids of those that say something else here.
        """
        new, others = await self._read(
            lambda ledger: ledger.drafts.save_all(drafts, replace=replace)
        )
        if new or (others and replace):
            self._tell("drafts")
        return new, [row.id for row in others]


_account_of = attrgetter("active_backend", "heygen_api_key", "heygen_base_url")
_ORDERS: dict[str, Callable[[DraftRow], Any]] = {
    "title": lambda row: (row.title or row.script).casefold(),
    "length": lambda row: len(row.script),
    "oldest": lambda row: row.updated_at,
}


def _holds(row: DraftRow, words: list[str]) -> bool:
    text = f"#{row.id} {row.title} {row.script} {row.caption}".casefold()
    return all(word in text for word in words)


_states: weakref.WeakValueDictionary[Any, SharedState] = weakref.WeakValueDictionary()


def shared_state() -> SharedState:
    """Return the state of this kernel; two Studios in it show the same renders."""
    loop = asyncio.get_running_loop()
    state = _states.get(loop)
    if state is None or state.settings.home != config.find_home():
        state = _states[loop] = SharedState()
    return state
