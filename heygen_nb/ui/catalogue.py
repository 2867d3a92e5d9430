"""The lists of voices and avatars that the panels share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from heygen_nb.renderer.resolve import meant

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractAsyncContextManager
    from datetime import timedelta

    from heygen_nb.errors import HeygenNbError
    from heygen_nb.models import Avatar, Voice
    from heygen_nb.renderer.account import Account
    from heygen_nb.renderer.catalogue import Catalogue, Kind


class AccountLists:
    """What the account the panels work for can choose from.

    Args:
        accounts: Gives the account of the present settings.
    """

    def __init__(
        self, accounts: Callable[[], AbstractAsyncContextManager[Account]]
    ) -> None:
        self._accounts = accounts
        self._catalogue: Catalogue | None = None
        self._names: dict[str, str] = {}

    def forget(self) -> None:
        """Let go of the lists: another account holds now."""
        self._catalogue = None
        self._names = {}

    async def voices(self, *, refresh: bool = False) -> Sequence[Voice]:
        """Return every voice, own ones first; at most a day old."""
        async with self._accounts() as account:
            self._catalogue = account.catalogue
            found = await self._catalogue.voices(refresh=refresh)
        self._names |= {voice.id: voice.name for voice in found}
        return found

    async def avatars(
        self,
        *,
        refresh: bool = False,
        on_part: Callable[[Sequence[Avatar]], object] | None = None,
    ) -> Sequence[Avatar]:
        """Return every avatar look, own ones first; at most a day old.

        Args:
            refresh: List them anew.
            on_part: Called with the first ones while the others are on their way.
        """
        async with self._accounts() as account:
            self._catalogue = account.catalogue
            found = await self._catalogue.avatars(refresh=refresh, on_part=on_part)
        self._names |= {avatar.id: avatar.name for avatar in found}
        return found

    def name_of(self, wish: str) -> str:
        """Return the name behind an id, once the lists are there; else the wish."""
        return self._names.get(wish, wish)

    async def meant(self, wish: str) -> str:
        """Return the id of the voice that a setting stands for; empty if unclear."""
        async with self._accounts() as account:
            hits = meant(wish, await account.catalogue.said.get())
        return hits[0].voice_id if len(hits) == 1 else ""

    def voice_name(self, voice_id: str) -> str:
        """Return a voice's name if its list is at hand, else the id."""
        voices = self._catalogue.said.known if self._catalogue else ()
        return next((v.name for v in voices if v.voice_id == voice_id), voice_id)

    async def refresh(self) -> None:
        """List voices and avatars anew."""
        await self.voices(refresh=True)
        await self.avatars(refresh=True)

    def age(self, kind: Kind = "voices") -> timedelta | None:
        """Return how old a list is; None when it has not been asked for."""
        return self._catalogue.listing(kind).age if self._catalogue else None

    def trouble(self, kind: Kind = "voices") -> HeygenNbError | None:
        """Return why the last refresh of a list brought nothing."""
        return self._catalogue.listing(kind).trouble if self._catalogue else None

    async def sample(self, voice: Voice) -> bytes:
        """Return how a voice sounds, see :meth:`Catalogue.sample`."""
        async with self._accounts() as account:
            return await account.catalogue.sample(voice)

    async def picture(self, avatar: Avatar) -> bytes:
        """Return how an avatar looks, see :meth:`Catalogue.picture`."""
        async with self._accounts() as account:
            return await account.catalogue.picture(avatar)
