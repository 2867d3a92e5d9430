"""Scripts by a language model behind any server that speaks OpenAI's API."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import TYPE_CHECKING

from heygen_nb.errors import DraftError, ScriptError
from heygen_nb.i18n import gettext as _
from heygen_nb.models import SCRIPT_LANGUAGES
from heygen_nb.scripts.answers import unreadable, whole
from heygen_nb.scripts.formats import TEMPLATES, TOLERANCE
from heygen_nb.scripts.offline import read_topic
from heygen_nb.templates import Template

if TYPE_CHECKING:
    from heygen_nb.scripts.chat import Chat, Message
    from heygen_nb.scripts.formats import Change, Measure, Order, TextCallback, Written

PROMPTS = "prompts"
_SHIPPED = Path(__file__).parent / PROMPTS


def prompt(name: str, home: Path, values: dict[str, object]) -> str:
    """Return the prompt of that name with the values put in.

    Args:
        name: Such as ``write``.
        home: Folder whose ``templates/prompts`` may hold another one.
        values: What it may use.

    Raises:
        DraftError: It cannot be read, or uses what there is not.
    """
    own = home / TEMPLATES / PROMPTS / f"{name}.md"
    file = own if own.exists() else _SHIPPED / f"{name}.md"
    try:
        source = file.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as exc:
        raise DraftError(
            _("{file} cannot be read: {reason}.").format(file=file, reason=exc),
            hint=_("It has to be a readable UTF-8 text file."),
        ) from None
    return Template(source, where=f"{PROMPTS}/{file.name}").render(values).strip()


def language_name(language: str) -> str:
    """Return what a prompt calls a language; a word of the user's is kept short."""
    return SCRIPT_LANGUAGES.get(language) or " ".join(language.split())[:40]


log = logging.getLogger("heygen_nb.scripts")

_NEAR = 1.05  # a draft so near to its length is still made shorter when asked
_STEP = 1.25


class ModelWriter:
    """Writes by a language model: at most two completions for a script.

    Args:
        chat: How the model is talked to.
        measure: Script to seconds.
        home: Folder whose ``templates/prompts`` may hold other prompts.
    """

    def __init__(self, chat: Chat, *, measure: Measure, home: Path) -> None:
        self._chat = chat
        self._measure = measure
        self._home = home

    async def write(
        self, order: Order, *, on_text: TextCallback | None = None
    ) -> Written:
        """Write one script; one that misses its length is corrected once.

        Raises:
            DraftError: The topic or a prompt of the user's own cannot be used.
            ScriptError: The model did not write it.
        """
        topic = read_topic(order.topic).text
        data = {"topic": topic, "format": order.format, "tone": order.tone}
        values = {
            **self._values(order, order.target_s, order.words),
            "version": (order.seed or 0) % 1000,
            "most_words": round(order.words * 1.15),
        }
        messages = self._messages("write", values, data)
        return await self._answer(messages, values, order.target_s, on_text)

    async def rewrite(
        self,
        old: Written,
        change: Change,
        order: Order,
        *,
        on_text: TextCallback | None = None,
    ) -> Written:
        """Write other texts for those of a draft.

        Args:
            old: Its texts.
            change: What to do with them.
            order: Language and length that are wanted.
            on_text: Gets title, script and caption as they grow.

        Raises:
            DraftError: A prompt of the user's own cannot be used.
            ScriptError: The model did not write it.
        """
        now_s = self._measure(old.script)
        target_s = _target(change, now_s, order.target_s)
        words = order.words
        if change in ("shorten", "lengthen") and now_s:
            words = max(round(len(old.script.split()) * target_s / now_s), 1)
        data = {"title": old.title, "script": old.script, "caption": old.caption}
        values = self._values(order, target_s, words)
        messages = self._messages(change, values, data)
        # a translation is as long as what it translates
        wished = None if change == "translate" else target_s
        return await self._answer(messages, values, wished, on_text)

    def _values(self, order: Order, target_s: float, words: int) -> dict[str, object]:
        return {
            "language": language_name(order.language),
            "seconds": round(target_s),
            "words": words,
        }

    def _messages(
        self, name: str, values: dict[str, object], data: dict[str, str]
    ) -> list[Message]:
        system = f"{self._prompt(name, values)}\n\n{self._prompt('answer', values)}"
        # what somebody typed is data, in a message of its own
        material = {key: text for key, text in data.items() if text}
        return [
            {"role": "system", "content": system},
            {"role": "user", "content": json.dumps(material, ensure_ascii=False)},
        ]

    def _prompt(self, name: str, values: dict[str, object]) -> str:
        return prompt(name, self._home, values)

    async def _answer(
        self,
        messages: list[Message],
        values: dict[str, object],
        target_s: float | None,
        on_text: TextCallback | None,
    ) -> Written:
        text = await self._chat.complete(messages, on_text)
        first = whole(text)
        if first and self._miss(first, target_s) <= TOLERANCE:
            return _told(first, on_text)
        correction = self._prompt("correct", self._faults(first, values, target_s))
        messages = [
            *messages,
            {"role": "assistant", "content": text},
            {"role": "user", "content": correction},
        ]
        try:
            text = await self._chat.complete(messages, on_text)
        except ScriptError as error:
            if first is None:
                raise
            log.warning("%s", error)
            return _told(first, on_text)
        found = [written for written in (first, whole(text)) if written]
        if not found:
            raise unreadable(text)
        return _told(min(found, key=lambda w: self._miss(w, target_s)), on_text)

    def _miss(self, written: Written, target_s: float | None) -> float:
        if target_s is None:
            return 0.0
        return abs(self._measure(written.script) - target_s) / target_s

    def _faults(
        self,
        written: Written | None,
        values: dict[str, object],
        target_s: float | None,
    ) -> dict[str, object]:
        """Return what the prompt of the correction is told."""
        faults = {**values, "unreadable": True, "now_seconds": 0, "now_words": 0}
        if written and target_s:
            seconds = max(self._measure(written.script), 0.1)
            words = len(written.script.split())
            faults |= {
                "unreadable": False,
                "now_seconds": round(seconds),
                "now_words": words,
                "words": round(words * target_s / seconds),
            }
        return faults


def _told(written: Written, on_text: TextCallback | None) -> Written:
    if on_text:
        on_text(written.title, written.script, written.caption)
    return written


def _target(change: Change, now_s: float, wished_s: float) -> float:
    """Return the length to aim at: the wished one, if it lies that way."""
    if change == "shorten" and now_s <= wished_s * _NEAR:
        return now_s / _STEP
    if change == "lengthen" and now_s * _NEAR >= wished_s:
        return now_s * _STEP
    return wished_s
