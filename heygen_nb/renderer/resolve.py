"""From what the user wished to what there is, and what tells two wishes apart.

Voice, avatar, engine and background; the revision, which changes whenever picture or
sound would; and the search for voices and avatars, quick enough for typing.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache, partial
from itertools import product
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from heygen_nb import preview
from heygen_nb.config import VIDEO_KEYS, Settings
from heygen_nb.drafts import what_is_said
from heygen_nb.drafts.spoken import pronounced
from heygen_nb.errors import ConfigError, PreviewError
from heygen_nb.i18n import current_language, gettext as _
from heygen_nb.models import NO_AVATAR, SCRIPT_LANGUAGES, Avatar, Draft, Voice
from heygen_nb.renderer.background import COLOR, Picture, identity, picture_of
from heygen_nb.timing import script_language

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from heygen_nb.heygen.wire import LookReply, VoiceReply
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


async def choose_cast(account: Account, settings: Settings) -> Cast:
    """Decide who speaks and before what.

    Args:
        account: Whose voices and looks there are.
        settings: Effective settings.

    Raises:
        ConfigError: One of them does not fit.
    """
    here, background = settings.films_here, settings.heygen_background_url
    picture = await background_meant(account, background, moving=here)
    first = here or settings.length_mode == "exact"
    voice = await voice_meant(account, settings.heygen_voice, speaks_first=first)
    if here:  # the picture stays on this machine
        return Cast(voice, None, NO_AVATAR, None)
    if not settings.heygen_use_avatar:
        return Cast(voice, None, "studio", picture)
    look = await look_meant(account, settings.heygen_avatar_id)
    return Cast(voice, look, choose_engine(look, settings.avatar_engine), picture)


async def voice_meant(
    account: Account, wish: str, *, speaks_first: bool = False
) -> VoiceReply:
    """Return the voice that is meant.

    Args:
        account: Whose voices there are.
        wish: A voice id, a name (letter case does not matter), or a form like
            ``en-US-Neural2-F``, which stands for any voice of that language.
        speaks_first: Whether it has to make speech by itself, as exact lengths need
            it: then "any voice" is one whose engine is starfish.

    Raises:
        ConfigError: No voice or several ones fit; names the nearest. Or it cannot
            make speech by itself.
    """
    lists, name = account.catalogue, wish.strip().casefold()
    any_exact = speaks_first and _WISH.fullmatch(wish.strip())
    said = lists.starfish if any_exact else lists.said
    hits = await said.meant(partial(meant, wish))
    if len(hits) == 1:
        [voice] = hits
        if not speaks_first or await lists.starfish.meant(
            lambda able: [v for v in able if v.voice_id == voice.voice_id]
        ):
            return voice
        problem = _("{voice} cannot make speech without a video.")
        hint = _(
            "`heygen-nb voices` marks those that can. Choose one of them, or"
            " length_mode: estimate; without an avatar, no_avatar: heygen."
        )
        raise ConfigError(problem, hint=hint, voice=describe_voice(voice))
    problem = _("There is no voice “{wish}”.")
    names = {voice.name.casefold(): voice for voice in reversed(said.items)}
    near = [names[one] for one in get_close_matches(name, names, 5, 0.5)] or said.items
    if hits:
        problem, near = _("Several voices are called “{wish}”."), hits
    hint = _("Set heygen_voice to one of: {voices}. `heygen-nb voices` lists all.")
    listed = "; ".join(describe_voice(voice) for voice in near[:5])
    raise ConfigError(problem, hint=hint, wish=wish, voices=listed)


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
    find = partial(picture_of, value, account.home, moving=moving)
    if picture := await asyncio.to_thread(find):
        return picture
    if not re.match(r"https?://[^\s/]+", value):
        problem = _("heygen_background_url: “{value}” is not a web address.")
        hint = _(
            "Use a link with https://, a colour like #203040, or a PNG or JPEG file."
        )
        raise ConfigError(problem, hint=hint, value=value[:100])
    try:
        await preview.fetch_image(value, allow_private=account.private)
    except PreviewError as error:
        hint = _("Open the link in a browser: it has to show just a picture.")
        told = f"heygen_background_url: {error.message}"
        raise ConfigError(told, hint=hint) from None
    account.pictures.add(value)
    return None


def choose_engine(look: LookReply, wish: str) -> str:
    """Return the engine for a look: the wished one, else the best it supports.

    Raises:
        ConfigError: The look does not support the wished engine.
    """
    supported = look.supported_api_engines
    if wish == "auto":
        # HeyGen's own default; a look that does not take it says so in a 400
        usual = (*supported, "avatar_iv")[0]
        return next((name for name in _BEST_FIRST if name in supported), usual)
    if supported and wish not in supported:
        problem = _("Avatar “{name}” does not work with {engine}.")
        hint = _("Set avatar_engine to auto or one of: {engines}.")
        told = {"name": look.name, "engine": wish, "engines": ", ".join(supported)}
        raise ConfigError(problem, hint=hint, **told)
    return wish


def describe_voice(voice: VoiceReply) -> str:
    """Return a voice in one line: name, language, id."""
    return f"{voice.name} ({voice.language}, {voice.voice_id})"


def meant(wish: str, voices: Sequence[VoiceReply]) -> list[VoiceReply]:
    """Return the voices of that id, else of that name, else the wished language's."""
    wish = wish.strip()
    name, form = wish.casefold(), _WISH.fullmatch(wish)
    hits = [v for v in voices if v.voice_id == wish]
    hits = hits or [v for v in voices if v.name.strip().casefold() == name]
    if hits or not form:
        return hits
    names = _languages("en") | SCRIPT_LANGUAGES
    language = names.get(form[1], "?").casefold()
    said = (v for v in voices if (v.language or "").casefold().startswith(language))
    return list(said)[:1]


def about_captions(script: str, settings: Settings) -> list[str]:
    """Return a warning of letters that own captions would show as boxes."""
    known = "\u04ff"  # our fonts have all Latin, Greek and Cyrillic letters
    strange = "".join(c for c in script if c > known and c.isalpha())
    own = settings.captions == "own"
    letters = preview.undrawable(strange) if strange and own else ""
    if not letters:
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
        tuned["no_avatar"] = "local"
        if not settings.voice_bars:
            tuned["bars"] = False
    script = what_is_said(draft.script).text
    # as pronounce.yaml has it
    said = pronounced(script, settings.home, script_language(script))
    if said != script:
        tuned["said"] = said
    plain = ("voice", "duration", "aspect_ratio", "resolution")
    return {
        **tuned,
        **{key: getattr(settings, VIDEO_KEYS[key]) for key in plain},
        "script": script,
        "use_avatar": use_avatar,
        "avatar_id": settings.heygen_avatar_id if use_avatar else "",
        "engine": settings.avatar_engine if use_avatar else "",
        "background_url": picture and identity(picture, settings.home),
        # Ours are put on afterwards: they change nothing that is paid for.
        "captions": settings.captions == "heygen" and not settings.films_here,
    }


def finish_of(settings: Settings) -> dict[str, Any]:
    """Return the settings that finish a film; they are no part of the revision."""
    # HeyGen cannot burn any into a film made here
    shown = {"own": True, "heygen": settings.films_here}.get(settings.captions, False)
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
    captions, scripts = (inputs["captions"], True), (inputs["script"], draft.script)
    made = (
        revision_of({**known, "script": script, "captions": burned_in})
        for known, burned_in, script in product((inputs, of_heygen), captions, scripts)
    )
    return tuple(dict.fromkeys(made))


@dataclass(frozen=True, slots=True)
class Found(Generic[T]):
    """What fits, best first; or, ``near``, what is spelt alike because nothing does."""

    items: Sequence[T]
    near: bool = False


def search(
    items: Sequence[T], text: str, keep: Callable[[T], bool] = lambda _item: True
) -> Found[T]:
    """Return what has all the words, own ones first, then the best match.

    Args:
        items: Voices or avatars, in the order they are shown while nothing is typed.
        text: Parts of name or id, words of language, gender or kind.
        keep: What else an item has to be.
    """
    kept, words = [item for item in items if keep(item)], text.casefold().split()
    hits = _fitting(kept, words)
    if hits or not kept:
        return Found(hits)
    known = {word for item in items for word in _WORD.findall(" ".join(_named(item)))}
    alike: list[str] = []
    for word in words:
        right = [word] if _fitting(items, [word]) else []
        alike += right or get_close_matches(word, sorted(known), 1, _ALIKE)
    return Found(_fitting(kept, alike)[:NEAREST] if alike else [], near=True)


def _named(item: Voice | Avatar) -> tuple[str, str]:
    """Return an item's name, and words that are found by their beginnings only.

    So "male" is no "female".
    """
    if isinstance(item, Voice):
        kinds = language_words(item.language)
    else:
        kinds = item.kind, item.orientation
    name = " ".join(item.name.casefold().split())
    return name, f" {' '.join((*kinds, item.gender))} ".casefold()


def _fitting(items: Sequence[T], words: Sequence[str]) -> list[T]:
    text, hits = " ".join(words), list[tuple[bool, int, T]]()
    for item in items:
        (name, labels), key = _named(item), item.id.casefold()
        if all(word in f"{name} {key}" or f" {word}" in labels for word in words):
            matches = (
                text in (name, key),
                name.startswith(text),
                f" {text} " in f" {name} {labels} ",
                text in name,
                True,
            )
            hits.append((not item.own, matches.index(True), item))
    return [item for *_rank, item in sorted(hits, key=lambda hit: hit[:2])]


def voice_filter(language: str, gender: str) -> Callable[[Voice], bool]:
    """Return the test whether a voice is of a language and a gender.

    Args:
        language: ``Russian``, ``ru``, ``русский``, or at least three letters of its
            beginning; empty for any.
        gender: ``female``, ``F``; empty for any.
    """
    spoken, sex = language.strip().casefold(), gender.strip().casefold()

    def fits(voice: Voice) -> bool:
        names = [name.casefold() for name in language_words(voice.language)]
        begun = len(spoken) >= _BEGINNING and any(n.startswith(spoken) for n in names)
        of_language = begun or spoken in ("", *names)
        return of_language and voice.gender.casefold().startswith(sex)

    return fits


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
    codes = {name.casefold(): code for code, name in _languages("en").items()}
    code = codes.get(language.partition("(")[0].strip().casefold())
    if not code:
        return (language,)
    names = (_languages(at).get(code, "") for at in ("en", "ru"))
    return (language, code, *filter(None, names))


@lru_cache
def _languages(at: str) -> dict[str, str]:
    from babel import Locale  # noqa: PLC0415 - 7 MB of names

    return dict(Locale(at).languages)
