"""Scripts by a language model behind any server that speaks OpenAI's API."""

from __future__ import annotations

import json
import logging
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

from heygen_nb.errors import ScriptError
from heygen_nb.models import SCRIPT_LANGUAGES
from heygen_nb.scripts import (
    TOLERANCE,
    Change,
    Measure,
    ScriptRequest,
    TextCallback,
    Written,
)
from heygen_nb.scripts.offline import TEMPLATES, read_topic, text_of
from heygen_nb.scripts.server import (
    SORRY,
    Answer,
    Message,
    ModelServer,
    problem,
    prose,
    whole,
)
from heygen_nb.templates import Template

PROMPTS = "prompts"
_SHIPPED = Path(__file__).parent / PROMPTS


def prompt(name: str, home: Path, values: dict[str, Any]) -> str:
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
    where = f"{PROMPTS}/{file.name}"
    return Template(text_of(file), where=where).render(values).strip()


log = logging.getLogger("heygen_nb.scripts")

_SCRIPT_SHARE = 0.5  # of the length; a shorter text without a form is no script
_NEAR = 1.05  # a draft so near to its length is still made shorter when asked
_STEP = 1.25


@dataclass(frozen=True)
class ModelWriter:
    """Writes by a language model: at most two completions for a script.

    Attributes:
        server: Where the model is.
        measure: Script to seconds.
        home: Folder whose ``templates/prompts`` may hold other prompts.
    """

    server: ModelServer
    measure: Measure
    home: Path

    async def write(
        self, request: ScriptRequest, *, on_text: TextCallback | None = None
    ) -> Written:
        """Write one script; one that misses its length is corrected once.

        Raises:
            DraftError: The topic or a prompt of the user's own cannot be used.
            ScriptError: The model did not write it.
        """
        topic = read_topic(request.topic).text
        data = {"topic": topic, "format": request.format, "tone": request.tone}
        values = _values(request, request.target_s, request.words) | {
            "version": (request.seed or 0) % 1000,
            "most_words": round(request.words * 1.15),
        }
        messages = self._messages("write", values, data)
        return await self._answer(messages, values, request.target_s, on_text)

    async def rewrite(
        self,
        old: Written,
        change: Change,
        request: ScriptRequest,
        *,
        on_text: TextCallback | None = None,
    ) -> Written:
        """Write other texts for those of a draft.

        Args:
            old: Its texts.
            change: What to do with them.
            request: Language and length that are wanted.
            on_text: Gets title, script and caption as they grow.

        Raises:
            DraftError: A prompt of the user's own cannot be used.
            ScriptError: The model did not write it.
        """
        now_s, target_s = self.measure(old.script), request.target_s
        # the wished length is aimed at if it lies that way
        if change == "shorten" and now_s <= target_s * _NEAR:
            target_s = now_s / _STEP
        elif change == "lengthen" and now_s * _NEAR >= target_s:
            target_s = now_s * _STEP
        words = request.words
        if change in ("shorten", "lengthen") and now_s:
            words = max(round(len(old.script.split()) * target_s / now_s), 1)
        data = {"title": old.title, "script": old.script, "caption": old.caption}
        values = _values(request, target_s, words)
        messages = self._messages(change, values, data)
        # a translation is as long as what it translates
        wished = None if change == "translate" else target_s
        return await self._answer(messages, values, wished, on_text)

    def _messages(
        self, name: str, values: dict[str, Any], data: dict[str, str]
    ) -> list[Message]:
        system = [prompt(part, self.home, values) for part in (name, "answer")]
        # what somebody typed is data, in a message of its own
        material = {key: text for key, text in data.items() if text}
        return [
            {"role": "system", "content": "\n\n".join(system)},
            {"role": "user", "content": json.dumps(material, ensure_ascii=False)},
        ]

    async def _answer(
        self,
        messages: list[Message],
        values: dict[str, Any],
        target_s: float | None,
        on_text: TextCallback | None,
    ) -> Written:
        answer = await self.server.complete(messages, on_text)
        first = best = self._read(answer, values)
        if self._miss(first, target_s) > TOLERANCE:
            seconds = max(self.measure(first.script), 0.1)
            now_words = len(first.script.split())
            faults = {
                "unreadable": False,  # for prompts of the user's own
                "now_seconds": round(seconds),
                "now_words": now_words,
                "words": round(now_words * values["seconds"] / seconds),
            }
            correction = prompt("correct", self.home, values | faults)
            messages = [
                *messages,
                {"role": "assistant", "content": answer.text or answer.aside},
                {"role": "user", "content": correction},
            ]
            try:
                second = self._read(
                    await self.server.complete(messages, on_text), values
                )
                best = min(first, second, key=lambda w: self._miss(w, target_s))
            except ScriptError as error:
                log.warning("%s", error)
        if on_text:
            on_text(*astuple(best))
        return best

    def _read(self, answer: Answer, values: dict[str, Any]) -> Written:
        """Return the script of an answer, wherever it stands; it is not asked again."""
        cut = answer.ended in ("", "length")
        for text in (answer.text, answer.aside):
            if found := whole(text, cut=cut):
                return found
        plain = prose(answer.text)
        if answer.refusal or answer.ended == "content_filter":
            raise problem("declined", answer.refusal)
        if cut and answer.text:
            raise problem("cut")
        if SORRY.match(plain.script):
            raise problem("declined", plain.script)
        enough_s = _SCRIPT_SHARE * values["seconds"]
        if plain.script[:1] not in "{[<" and self.measure(plain.script) >= enough_s:
            return plain
        said = answer.text or answer.aside
        raise problem("no script" if said.strip() else "nothing", said)

    def _miss(self, written: Written, target_s: float | None) -> float:
        if target_s is None:
            return 0.0
        return abs(self.measure(written.script) - target_s) / target_s


def _values(request: ScriptRequest, target_s: float, words: int) -> dict[str, Any]:
    """Return what every prompt is told; a word of the user's is kept short."""
    language = " ".join(request.language.split())[:40]
    return {
        "language": SCRIPT_LANGUAGES.get(language, language),
        "seconds": round(target_s),
        "words": words,
    }
