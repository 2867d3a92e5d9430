"""Scripts by a language model behind any server that speaks OpenAI's API."""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from heygen_nb.errors import ScriptError
from heygen_nb.models import SCRIPT_LANGUAGES, Draft
from heygen_nb.scripts import Measure, ScriptRequest, TextCallback, Written, misses
from heygen_nb.scripts.answers import prose, refuses, whole
from heygen_nb.scripts.offline import TEMPLATES, read_topic, text_of
from heygen_nb.scripts.server import Answer, ModelServer
from heygen_nb.templates import Template

PROMPTS = "prompts"
log = logging.getLogger("heygen_nb.scripts")

_SHIPPED = Path(__file__).parent / PROMPTS
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
        return await self._write("write", request, data, on_text)

    async def rewrite(
        self,
        old: Draft,
        change: str,
        request: ScriptRequest,
        *,
        on_text: TextCallback | None = None,
    ) -> Written:
        """Write other texts for those of a draft.

        Args:
            old: The draft.
            change: What to do with its texts; one of ``Change``.
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
        request = request._replace(target_s=target_s, words=words)
        data = {name: getattr(old, name) for name in Written._fields}
        return await self._write(change, request, data, on_text)

    async def _write(
        self,
        name: str,
        request: ScriptRequest,
        data: Mapping[str, str],
        on_text: TextCallback | None,
    ) -> Written:
        language = " ".join(request.language.split())[:40]  # a word of the user's
        target_s = round(request.target_s)
        values = {
            "language": SCRIPT_LANGUAGES.get(language, language),
            "seconds": target_s,
            "words": request.words,
            "most_words": round(request.words * 1.15),
            "version": (request.seed or 0) % 1000,
        }
        # what somebody typed is data, in a message of its own
        material = {key: text for key, text in data.items() if text}
        system = [self._prompt(part, values) for part in (name, "answer")]
        messages = [
            {"role": "system", "content": "\n\n".join(system)},
            {"role": "user", "content": json.dumps(material, ensure_ascii=False)},
        ]
        answer = await self.server.complete(messages, on_text)
        best = self._read(answer, request)
        seconds = max(self.measure(best.script), 0.1)
        # a translation is as long as what it translates
        if name != "translate" and misses(seconds, request.target_s):
            now_words = len(best.script.split())
            faults = {
                "unreadable": False,  # for prompts of the user's own
                "now_seconds": round(seconds),
                "now_words": now_words,
                "words": round(now_words * target_s / seconds),
            }
            correction = self._prompt("correct", values | faults)
            said = {"role": "assistant", "content": answer.text or answer.aside}
            messages += [said, {"role": "user", "content": correction}]
            best = await self._better(best, messages, request, on_text)
        if on_text:
            on_text(*best)
        return best

    async def _better(
        self,
        first: Written,
        messages: list[dict[str, str]],
        request: ScriptRequest,
        on_text: TextCallback | None,
    ) -> Written:
        """Return the one of two scripts that is nearer to its length."""
        try:
            answer = await self.server.complete(messages, on_text)
            both = first, self._read(answer, request)
        except ScriptError as error:
            log.warning("%s", error)
            return first
        return min(both, key=lambda w: abs(self.measure(w.script) - request.target_s))

    def _prompt(self, name: str, values: Mapping[str, Any]) -> str:
        """Return a prompt of the user's own, else ours, with the values put in."""
        own = self.home / TEMPLATES / PROMPTS / f"{name}.md"
        file = own if own.exists() else _SHIPPED / f"{name}.md"
        where = f"{PROMPTS}/{file.name}"
        return Template(text_of(file), where=where).render(values).strip()

    def _read(self, answer: Answer, request: ScriptRequest) -> Written:
        """Return the script of an answer, wherever it stands; it is not asked again."""
        cut = answer.ended in ("", "length")
        for text in (answer.text, answer.aside):
            if found := whole(text, cut=cut):
                return found
        plain = prose(answer.text)
        if answer.refusal or answer.ended == "content_filter":
            raise self.server.error("declined", answer.refusal)
        if cut and answer.text:
            raise self.server.error("cut")
        if refuses(plain.script):
            raise self.server.error("declined", plain.script)
        enough_s = _SCRIPT_SHARE * round(request.target_s)
        if plain.script[:1] not in "{[<" and self.measure(plain.script) >= enough_s:
            return plain
        said = answer.text or answer.aside
        raise self.server.error("no script" if said.strip() else "nothing", said)
