"""Drafts from a topic, and new texts for a draft."""

import asyncio
import logging
import re
import secrets
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field

from heygen_nb.config import Settings, check_duration, load_settings
from heygen_nb.drafts import what_is_said
from heygen_nb.i18n import gettext as _
from heygen_nb.ledger import Ledger
from heygen_nb.models import SCRIPT_LANGUAGES, Draft, unexpected
from heygen_nb.renderer import effective_settings
from heygen_nb.renderer.account import ledger_url
from heygen_nb.scripts import Change, ScriptRequest, TextCallback, misses, offline
from heygen_nb.scripts.model import ModelWriter
from heygen_nb.scripts.server import ModelServer
from heygen_nb.timing import Fit, SpeechModel, Spoken, script_language

log = logging.getLogger("heygen_nb.writing")

_WISH = re.compile(r"([a-z]{2})-[A-Z]{2}\b")
_WISHES = {"en": "en-US-Neural2-F"}


@dataclass
class Writing:
    """Writes drafts for one home folder.

    Attributes:
        settings: Gives the settings that hold now.
        model: Estimates how long scripts take.
        voice_ids: The voice that each wish stood for last.
    """

    settings: Callable[[], Settings]
    model: SpeechModel = field(default_factory=SpeechModel)
    voice_ids: Mapping[str, str] = field(default_factory=dict)

    def learn(self, ledger: Ledger, voice: str | None = None) -> None:
        """Learn how long scripts take; needs some 50 ms for 10,000 renders.

        Args:
            ledger: Of the home folder.
            voice: What a draft wishes, besides the settings' own.
        """
        settings, facts = self.settings(), ledger.facts
        backend, wishes = settings.active_backend, {voice, settings.heygen_voice}
        self.model = SpeechModel(Spoken(*row) for row in facts.spoken(backend))
        self.voice_ids = {w: facts.voice_of(backend, w) for w in wishes if w}

    def fit(self, script: str, target_s: float, voice: str | None = None) -> Fit:
        """Return how near a script comes to a length, said by a draft's voice."""
        settings = self.settings()
        return self.model.fit(
            what_is_said(script).text,
            target_s,
            voice_id=self._voice_id(voice),
            slowest=settings.min_speed,
            fastest=settings.max_speed,
        )

    def seconds(self, script: str) -> float:
        """Return the seconds that a script takes at the voice's own speed."""
        said = what_is_said(script).text
        return self.model.estimate(said, voice_id=self._voice_id()).seconds

    def _voice_id(self, voice: str | None = None) -> str:
        return self.voice_ids.get(voice or self.settings().heygen_voice, "")

    @property
    def has_model(self) -> bool:
        """Whether the settings name a language model."""
        return bool(self.settings().script_model)

    def formats(self, language: str) -> list[offline.Format]:
        """Return the ready formats of a language and the user's own."""
        return offline.formats(self.settings().home, language)

    async def write(
        self, order: ScriptRequest, number: int = 1, on_text: TextCallback | None = None
    ) -> AsyncIterator[Draft]:
        """Write versions of a script, one after the other.

        Args:
            order: What is wanted. A format that is there is written offline.
            number: How many versions.
            on_text: Gets title, script and caption as they grow.

        Yields:
            A new draft for each.

        Raises:
            ConfigError: The model cannot be used as it is set.
            DraftError: The order or its format cannot be used.
            ScriptError: The model did not write it.
        """
        settings = self.settings()
        known = {format_.name for format_ in self.formats(order.language)}
        by_model = self.has_model and not order.offline and order.format not in known
        model = self._model() if by_model else None
        first = secrets.randbelow(1 << 32) if order.seed is None else order.seed
        words = order.words or self._words(order.target_s, order.language)
        wished = check_duration(order.target_s)[0]
        for version in range(number):
            numbered = order._replace(seed=first + version, words=words)
            if model:
                written = await model.write(numbered, on_text=on_text)
            else:
                written = offline.write(numbered, settings.home, self.seconds)
                if on_text:
                    on_text(*written)
            yield Draft(
                id=secrets.token_hex(4),
                **written._asdict(),
                voice=self.voice_for(written.script, language=order.language),
                duration=wished if wished != settings.video_duration else None,
            )

    async def rewrite(
        self,
        draft: Draft,
        change: Change,
        *,
        language: str | None = None,
        on_text: TextCallback | None = None,
    ) -> Draft:
        """Return the draft with new texts; the model writes them.

        Args:
            draft: It stays as it is.
            change: What to do: ``shorten`` or ``lengthen`` to the draft's length,
                ``another`` version, or ``translate``.
            language: To translate into: ``en``, ``ru`` or any language's name; by
                default from English into Russian and from others into English.
            on_text: Gets title, script and caption as they grow.

        Raises:
            ConfigError: No model is set, or it cannot be used as it is set.
            ScriptError: The model did not write it.
        """
        spoken = script_language(draft.script)
        if change == "translate":
            spoken = language or ("ru" if spoken == "en" else "en")
        target_s = draft.duration or self.settings().video_duration
        order = ScriptRequest(
            topic=draft.title,
            language=spoken,
            target_s=target_s,
            words=self._words(target_s, spoken),
        )
        written = await self._model().rewrite(draft, change, order, on_text=on_text)
        voice = draft.voice
        if change == "translate" and (voice is None or _WISH.match(voice)):
            voice = self.voice_for(written.script, voice, spoken)
        title, caption = written.title or draft.title, written.caption or draft.caption
        texts = {"title": title, "script": written.script, "caption": caption}
        return draft.model_copy(update={"voice": voice, **texts})

    def note(self, draft: Draft) -> str:
        """Return a word on a script that misses its length; empty if it does not."""
        target_s = draft.duration or self.settings().video_duration
        seconds = self.seconds(draft.script)
        if not misses(seconds, target_s):
            return ""
        return _("About {seconds:.0f} s to speak instead of {target:.0f} s.").format(
            seconds=seconds, target=target_s
        )

    def warn(self, draft: Draft) -> None:
        """Log that word, if there is one."""
        if note := self.note(draft):
            log.warning("#%s: %s", draft.id, note)

    def _model(self) -> ModelWriter:
        settings = self.settings()
        key = settings.script_api_key
        server = ModelServer(
            settings.script_model,
            settings.script_base_url,
            key.get_secret_value() if key else "",
        )
        return ModelWriter(server, self.seconds, settings.home)

    def voice_for(
        self, script: str, own: str | None = None, language: str | None = None
    ) -> str | None:
        """Return a wish for a voice if the draft's or the set one does not fit."""
        language = language or script_language(script)
        wish = _WISH.match(own or self.settings().heygen_voice)
        if not wish or wish[1] == language or language not in SCRIPT_LANGUAGES:
            return own
        # such a wish is met by any voice of the language
        return _WISHES.get(language, f"{language}-{language.upper()}-Neural2-A")

    def _words(self, target_s: float, language: str) -> int:
        voice_id = self._voice_id()
        return self.model.words_for(target_s, language=language, voice_id=voice_id)


async def write_drafts(
    topic: str,
    number: int = 1,
    *,
    format: str | None = None,  # noqa: A002 - the word for it
    tone: str = "",
    language: str | None = None,
    duration: float | None = None,
    seed: int | None = None,
    settings: Settings | None = None,
    on_text: TextCallback | None = None,
) -> list[Draft]:
    """Write drafts about a topic: by the language model if one is set, else offline.

    Args:
        topic: What they are about; points may follow: ``Coffee: warm the cup; …``.
        number: How many versions.
        format: A ready format such as ``horoscope``, written offline.
        tone: Such as ``warm``; the model keeps to it.
        language: ``en`` or ``ru``; by default that of the topic.
        duration: Wished seconds, 15 to 60; by default the settings' own.
        seed: The same seed gives the same offline texts.
        settings: By default read from home.
        on_text: Gets title, script and caption as they grow.

    Raises:
        ConfigError: The model cannot be used as it is set.
        DraftError: The topic or the format cannot be used.
        ScriptError: The model did not write it.
    """
    settings = effective_settings(settings or load_settings())
    wished = settings.video_duration if duration is None else duration
    order = ScriptRequest(
        topic=topic,
        format=format or "",
        tone=tone,
        language=language or script_language(topic),
        target_s=check_duration(wished)[0],
        seed=seed,
    )
    writing = await open_writing(settings)
    drafts = [draft async for draft in writing.write(order, number, on_text)]
    for draft in drafts:
        writing.warn(draft)
    return drafts


async def rewrite_draft(
    draft: Draft,
    change: Change,
    *,
    language: str | None = None,
    settings: Settings | None = None,
    on_text: TextCallback | None = None,
) -> Draft:
    """Return a draft with new texts; see :meth:`Writing.rewrite`.

    Args:
        draft: It stays as it is; the new one has its id, voice and so on.
        change: ``shorten``, ``lengthen``, ``another`` or ``translate``.
        language: To translate into.
        settings: By default read from home.
        on_text: Gets title, script and caption as they grow.

    Raises:
        ConfigError: No model is set, or it cannot be used as it is set.
        ScriptError: The model did not write it.
    """
    if not isinstance(draft, Draft):
        raise unexpected(draft, Draft)
    settings = effective_settings(settings or load_settings())
    writing = await open_writing(settings)
    new = await writing.rewrite(draft, change, language=language, on_text=on_text)
    writing.warn(new)
    return new


async def open_writing(settings: Settings) -> Writing:
    """Return what writes for these settings, with the lengths learned so far."""
    writing = Writing(lambda: settings)

    def learn() -> None:
        with Ledger(ledger_url(settings)) as ledger:
            writing.learn(ledger)

    await asyncio.to_thread(learn)
    return writing
