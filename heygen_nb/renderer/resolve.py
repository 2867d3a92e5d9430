"""From what the user wished to what there is, and what tells two wishes apart.

Voice, avatar, engine and background; the revision, which changes whenever picture or
sound would; and the search for voices and avatars, quick enough for typing.
"""

from __future__ import annotations

import asyncio
import difflib
import hashlib
import json
import re
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from heygen_nb import preview
from heygen_nb.drafts import what_is_said
from heygen_nb.drafts.spoken import PRONOUNCE_NAME, pronounced
from heygen_nb.errors import ConfigError, PreviewError
from heygen_nb.i18n import current_language, gettext as _
from heygen_nb.models import NO_AVATAR, SCRIPT_LANGUAGES, Avatar, Voice
from heygen_nb.renderer.background import COLOR, Picture, identity, picture_of
from heygen_nb.timing import script_language

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from heygen_nb.config import Settings
    from heygen_nb.heygen.wire import LookReply, VoiceReply
    from heygen_nb.models import Draft
    from heygen_nb.renderer.account import Account

_MOST_LETTERS = 12  # of those that are named
_BEST_FIRST = ("avatar_v", "avatar_iv", "avatar_iii")
_WISH = re.compile(r"([a-z]{2,3})-([A-Z]{2})-\w+(?:-\w+)*")  # en-US-Neural2-F
T = TypeVar("T", Voice, Avatar)
NEAREST = 5
_BEGINNING = 3
_ALIKE = 0.6  # of difflib's ratio: one letter wrong in five
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Cast:
    """Who speaks, what moves and before which file; no look: background only."""

    voice: VoiceReply
    look: LookReply | None
    engine: str
    picture: Picture | None


async def choose_cast(account: Account, settings: Settings, *, spoken: bool) -> Cast:
    """Decide who speaks and before what.

    Args:
        account: Whose voices and looks there are.
        settings: Effective settings.
        spoken: Whether the speech is there already.

    Raises:
        ConfigError: One of them does not fit.
    """
    here = settings.films_here
    speaks_first = here or settings.length_mode == "exact"
    background = settings.heygen_background_url
    picture = await background_meant(account, background, moving=here)
    voice = await voice_meant(account, settings.heygen_voice, speaks_first=speaks_first)
    if speaks_first and not spoken:
        await must_speak_first(account, voice)
    if here:  # the picture stays on this machine
        return Cast(voice, None, NO_AVATAR, None)
    if not settings.heygen_use_avatar:
        return Cast(voice, None, "studio", picture)
    look = await look_meant(account, settings.heygen_avatar_id)
    engine = choose_engine(look, settings.avatar_engine)
    return Cast(voice, look, engine, picture)


async def voice_meant(
    account: Account, wish: str, *, speaks_first: bool = False
) -> VoiceReply:
    """Return the voice that is meant.

    Args:
        account: Whose voices there are.
        wish: A voice id, a name (letter case does not matter), or a form like
            ``en-US-Neural2-F``, which stands for any voice of that language.
        speaks_first: Whether "any voice" is one that can make speech by itself.

    Raises:
        ConfigError: No voice or several ones fit; names the nearest.
    """
    said = account.catalogue.said
    if speaks_first and _WISH.fullmatch(wish.strip()):
        said = account.catalogue.starfish
    hits = await said.meant(partial(meant, wish.strip()))
    if len(hits) == 1:
        return hits[0]
    near = hits or _nearest(wish.strip().casefold(), said.known)
    raise ConfigError(
        (
            _("Several voices are called “{wish}”.")
            if hits
            else _("There is no voice “{wish}”.")
        ).format(wish=wish),
        hint=_(
            "Set heygen_voice to one of: {voices}. `heygen-nb voices` lists all."
        ).format(voices="; ".join(describe_voice(voice) for voice in near[:5])),
    )


async def must_speak_first(account: Account, voice: VoiceReply) -> None:
    """Make sure that a voice can make speech by itself, as exact lengths need it.

    Raises:
        ConfigError: Its engine is not starfish.
    """
    starfish, wanted = account.catalogue.starfish, voice.voice_id
    if not await starfish.meant(lambda able: [v for v in able if v.voice_id == wanted]):
        raise ConfigError(
            _("{voice} cannot make speech without a video.").format(
                voice=describe_voice(voice)
            ),
            hint=_(
                "`heygen-nb voices` marks those that can. Choose one of them, or"
                " length_mode: estimate; without an avatar, no_avatar: heygen."
            ),
        )


async def look_meant(
    account: Account, look_id: str, *, refresh: bool = False
) -> LookReply:
    """Return the avatar look that is meant, as HeyGen told of it within a day.

    Args:
        account: Whose looks there are.
        look_id: A look id; empty for the first own look, else the first public one.
        refresh: Ask HeyGen now.

    Raises:
        ConfigError: There is no such look, or HeyGen is not done with it.
    """
    [look] = await account.catalogue.used(look_id).get(refresh=refresh)
    return look


async def background_meant(
    account: Account, value: str, *, moving: bool = False
) -> Picture | None:
    """Make sure that a background is one, before anything is paid.

    Args:
        account: Where files are looked for; in the sandbox a link may be local.
        value: A colour such as ``#203040``, an address, a file, or nothing.
        moving: Whether an MP4 will do too.

    Returns:
        The picture, if it is a file: it has to be uploaded.

    Raises:
        ConfigError: It is none of them, or there is no picture.
    """
    if not value or COLOR.fullmatch(value) or value in account.pictures:
        return None
    if picture := await asyncio.to_thread(
        picture_of, value, account.home, moving=moving
    ):
        return picture
    if not re.match(r"https?://[^\s/]+", value):
        raise ConfigError(
            _("heygen_background_url: “{value}” is not a web address.").format(
                value=value[:100]
            ),
            hint=_(
                "Use a link with https://, a colour like #203040, or a PNG or"
                " JPEG file."
            ),
        )
    try:
        await preview.fetch_image(value, allow_private=account.private)
    except PreviewError as error:
        raise ConfigError(
            f"heygen_background_url: {error.message}",
            hint=_("Open the link in a browser: it has to show just a picture."),
        ) from None
    account.pictures.add(value)
    return None


def choose_engine(look: LookReply, wish: str) -> str:
    """Return the engine for a look: the wished one, else the best it supports.

    Raises:
        ConfigError: The look does not support the wished engine.
    """
    supported = list(look.supported_api_engines)
    if wish != "auto":
        if supported and wish not in supported:
            raise ConfigError(
                _("Avatar “{name}” does not work with {engine}.").format(
                    name=look.name, engine=wish
                ),
                hint=_("Set avatar_engine to auto or one of: {engines}.").format(
                    engines=", ".join(supported)
                ),
            )
        return wish
    best = next((name for name in _BEST_FIRST if name in supported), "")
    # HeyGen's own default; a look that does not take it says so in a 400
    return best or next(iter(supported), "avatar_iv")


def describe_voice(voice: VoiceReply) -> str:
    """Return a voice in one line: name, language, id."""
    return f"{voice.name} ({voice.language}, {voice.voice_id})"


def meant(wish: str, voices: Sequence[VoiceReply]) -> list[VoiceReply]:
    """Return the voices of that id, else of that name, else the wished language's."""
    name = wish.casefold()
    return (
        [v for v in voices if v.voice_id == wish]
        or [v for v in voices if v.name.strip().casefold() == name]
        or _of_wished_language(wish, voices)[:1]
    )


def _of_wished_language(wish: str, voices: Sequence[VoiceReply]) -> list[VoiceReply]:
    match = _WISH.fullmatch(wish)
    if not match:
        return []
    language = SCRIPT_LANGUAGES.get(match[1], "").casefold()
    if not language:
        language = next((name for name, at in _codes().items() if at == match[1]), "")
    said = [(voice, (voice.language or "").casefold()) for voice in voices]
    return [voice for voice, at in said if language and at.startswith(language)]


def _nearest(name: str, voices: Sequence[VoiceReply]) -> list[VoiceReply]:
    names = {voice.name.casefold(): voice for voice in reversed(voices)}
    close = difflib.get_close_matches(name, names, n=5, cutoff=0.5)
    return [names[c] for c in close] or list(voices[:5])


def about_captions(script: str, settings: Settings) -> list[str]:
    """Return a warning of letters that own captions would show as boxes."""
    known = "\u04ff"  # our fonts have all Latin, Greek and Cyrillic letters
    strange = "".join(c for c in script if c > known and c.isalpha())
    if not strange or settings.captions != "own":
        return []
    if not (letters := preview.undrawable(strange)):
        return []
    text = _(
        "No font here has the letters {letters}: the captions will show boxes."
        " Install Noto fonts of that script, or set captions to heygen or off."
    )
    return [text.format(letters=letters[:_MOST_LETTERS])]


def picture_and_sound(draft: Draft, settings: Settings) -> dict[str, Any]:
    """Return all that changes the video: caption and title do not.

    A background that is a file is read, 32 MB at most.

    Raises:
        ConfigError: There is no such file.
    """
    use_avatar, picture = settings.heygen_use_avatar, settings.heygen_background_url
    usual = type(settings).model_fields
    # only when changed: what was rendered before there were these is not paid again
    tuned = {
        name: value
        for name in ("length_mode", "min_speed", "max_speed", "fit")
        if (value := getattr(settings, name)) != usual[name].default
    }
    if not use_avatar and settings.films_here:
        tuned |= {
            "no_avatar": "local",
            **({} if settings.voice_bars else {"bars": False}),
        }
    script = what_is_said(draft.script).text
    if (said := words_said(script, settings)) != script:
        tuned["said"] = said
    return {
        **tuned,
        "script": script,
        "voice": settings.heygen_voice,
        "use_avatar": use_avatar,
        "avatar_id": settings.heygen_avatar_id if use_avatar else "",
        "engine": settings.avatar_engine if use_avatar else "",
        "background_url": picture and identity(picture, settings.home),
        "duration": settings.video_duration,
        "aspect_ratio": settings.aspect_ratio,
        "resolution": settings.resolution,
        # Ours are put on afterwards: they change nothing that is paid for.
        "captions": settings.captions == "heygen" and not settings.films_here,
    }


def words_said(script: str, settings: Settings) -> str:
    """Return a script with words spelt as ``pronounce.yaml`` has them said."""
    if not (settings.home / PRONOUNCE_NAME).exists():
        return script
    return pronounced(script, settings.home, script_language(script))


def finish_of(settings: Settings) -> dict[str, Any]:
    """Return the settings that finish a film; they are no part of the revision."""
    shown = settings.captions == "own"
    if settings.captions == "heygen":  # who cannot burn any into a film made here
        shown = settings.films_here
    wish = {"captions": shown, "loudness": settings.loudness}
    labelled = settings.ai_label in ("metadata", "both")
    return {**wish, "label": True} if labelled else wish


def revision_of(inputs: dict[str, Any]) -> str:
    """Return 16 hex digits that change whenever picture or sound would."""
    text = json.dumps(inputs, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def revisions_of(draft: Draft, inputs: dict[str, Any]) -> tuple[str, ...]:
    """Return the revision, and those that older rules made of the same draft.

    Once the script was sent as it was written, with all that is not said now, captions
    were HeyGen's unless they were off, and films without an avatar HeyGen's too. Who
    bought a film then does not pay again; it is taken as it is.
    """
    of_heygen = {k: v for k, v in inputs.items() if k not in ("no_avatar", "bars")}
    scripts = inputs["script"], draft.script
    captions = dict.fromkeys((inputs["captions"], True))
    made = (
        revision_of({**known, "script": script, "captions": burned_in})
        for known in (inputs, of_heygen)
        for burned_in in captions
        for script in scripts
    )
    return tuple(dict.fromkeys(made))


@dataclass(frozen=True, slots=True)
class Found(Generic[T]):
    """What fits, best first; or, ``near``, what is spelt alike because nothing does."""

    items: Sequence[T]
    near: bool = False


@dataclass(frozen=True, slots=True)
class _Entry(Generic[T]):
    item: T
    name: str
    inside: str  # any part of it may be typed
    labels: str  # only beginnings of its words: "male" is no "female"


class SearchIndex(Generic[T]):
    """All items of one kind, prepared for search.

    Args:
        items: Voices or avatars, in the order they are shown while nothing is typed.
    """

    def __init__(self, items: Sequence[T]) -> None:
        self._entries: list[_Entry[T]] = [_entry(item) for item in items]
        words = (_WORD.findall(f"{e.name} {e.labels}") for e in self._entries)
        self._words = tuple(sorted({word for group in words for word in group}))

    def search(
        self, text: str, keep: Callable[[T], bool] = lambda _item: True
    ) -> Found[T]:
        """Return what has all the words, own ones first, then the best match.

        Args:
            text: Parts of name or id, words of language, gender or kind.
            keep: What else an item has to be.
        """
        entries = [entry for entry in self._entries if keep(entry.item)]
        words = text.casefold().split()
        hits = _fitting(entries, words)
        if hits or not entries:
            return Found(hits)
        alike = [
            word if _fitting(self._entries, [word]) else _closest(word, self._words)
            for word in words
        ]
        near = _fitting(entries, [word for word in alike if word])
        return Found(near[:NEAREST] if any(alike) else [], near=True)


@lru_cache(maxsize=64)
def _closest(word: str, words: tuple[str, ...]) -> str:
    close = difflib.get_close_matches(word, words, n=1, cutoff=_ALIKE)
    return close[0] if close else ""


def _fitting(entries: Sequence[_Entry[T]], words: Sequence[str]) -> list[T]:
    text = " ".join(words)
    ranked = [
        (not entry.item.own, _rank(entry, text), number)
        for number, entry in enumerate(entries)
        if all(word in entry.inside or f" {word}" in entry.labels for word in words)
    ]
    return [entries[number].item for *_place, number in sorted(ranked)]


def _rank(entry: _Entry[T], text: str) -> int:
    if entry.name == text or entry.item.id.casefold() == text:
        return 0
    if not text or entry.name.startswith(text):
        return 1
    if f" {text} " in f" {entry.name} {entry.labels} ":
        return 2
    return 3 if text in entry.name else 4


def _entry(item: T) -> _Entry[T]:
    name = " ".join(item.name.casefold().split())
    labels = (
        *language_words(item.language if isinstance(item, Voice) else ""),
        item.gender,
        *((item.kind, item.orientation) if isinstance(item, Avatar) else ()),
    )
    return _Entry(
        item=item,
        name=name,
        inside=f"{name} {item.id.casefold()}",
        labels=f" {' '.join(labels)} ".casefold(),
    )


def speaks(voice: Voice, wish: str) -> bool:
    """Tell whether a voice's language is meant: ``Russian``, ``ru``, ``русский``.

    A beginning of at least three letters is enough; an empty wish means any.
    """
    wish = wish.strip().casefold()
    names = [name.casefold() for name in language_words(voice.language)]
    return wish in ("", *names) or (
        len(wish) >= _BEGINNING and any(name.startswith(wish) for name in names)
    )


def is_of(gender: str, wish: str) -> bool:
    """Tell whether a gender is meant: ``female``, ``F``; an empty wish means any."""
    return gender.casefold().startswith(wish.strip().casefold())


def language_label(language: str) -> str:
    """Return HeyGen's word for a language in the language of the panels."""
    names = language_words(language)
    if current_language() == "en" or len(names) == 1:
        return language
    return names[-1][:1].upper() + names[-1][1:]


def word_label(word: str) -> str:
    """Return HeyGen's word for a gender, shape or kind in the user's language."""
    labels = {
        "female": _("female"),
        "male": _("male"),
        "portrait": _("portrait"),
        "landscape": _("landscape"),
        "square": _("square"),
        "studio_avatar": _("studio avatar"),
        "photo_avatar": _("photo avatar"),
        "digital_twin": _("digital twin"),
    }
    return labels.get(word.casefold(), word)


@lru_cache(maxsize=256)
def language_words(language: str) -> tuple[str, ...]:
    """Return what a language may be called: HeyGen's word, code, English, Russian."""
    code = _codes().get(language.partition("(")[0].strip().casefold())
    if not code:
        return (language,)
    from babel import Locale  # noqa: PLC0415 - 7 MB of names

    names = (Locale(at).languages.get(code, "") for at in ("en", "ru"))
    return (language, code, *filter(None, names))


@lru_cache
def _codes() -> dict[str, str]:
    from babel import Locale  # noqa: PLC0415 - 7 MB of names

    return {name.casefold(): code for code, name in Locale("en").languages.items()}


def voice_filter(language: str, gender: str) -> Callable[[Voice], bool]:
    """Return the test whether a voice is of a language and a gender."""
    return lambda voice: speaks(voice, language) and is_of(voice.gender, gender)
