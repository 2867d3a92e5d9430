"""What HeyGen takes and answers: our own table, and its schemas where they are."""

from __future__ import annotations

import json
import os
from functools import cached_property
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

# absolute at once: the tests run in folders of their own
FOLDER = Path(os.environ.get("HEYGEN_SCHEMAS") or "no schemas").absolute()


def closed(node: Any) -> Any:
    """Allow no field that is not named: HeyGen refuses it, or we invented it."""
    if isinstance(node, list):
        return [closed(item) for item in node]
    if not isinstance(node, dict):
        return node
    extra = {"additionalProperties": False} if node.get("properties") else {}
    return {key: closed(value) for key, value in node.items()} | extra


def any_of(node: Any) -> Any:
    """Let several branches of HeyGen's ``oneOf`` fit: its ``type`` has no constants."""
    if isinstance(node, list):
        return [any_of(item) for item in node]
    if not isinstance(node, dict):
        return node
    return {
        "anyOf" if key == "oneOf" else key: any_of(value) for key, value in node.items()
    }


class Declared:
    """One call: what may be asked, sent and read."""

    def __init__(self, name: str, ours: dict[str, Any]) -> None:
        self.method, self.path = ours["call"].split()
        self.query: dict[str, list[Any] | None] = ours.get("query", {})
        self.reply = {
            "type": "object",
            "required": ["data"],
            "properties": {"data": ours["data"], **ours.get("beside", {})},
        }
        self._send, self._name = ours.get("send"), name

    @cached_property
    def theirs(self) -> dict[str, Any] | None:
        """HeyGen's own words, for those who have them."""
        file = FOLDER / f"{self._name}.json"
        return json.loads(file.read_text("utf-8")) if FOLDER.is_dir() else None

    @cached_property
    def _requests(self) -> list[jsonschema.Draft202012Validator]:
        schemas = [closed(self._send)]
        if self.theirs:
            schemas.append(any_of(closed(self.theirs["request_schema"])))
        return [jsonschema.Draft202012Validator(schema) for schema in schemas]

    @cached_property
    def _replies(self) -> list[jsonschema.Draft202012Validator]:
        schemas = [self.reply]
        if self.theirs and self.theirs["response_schema"]:
            schemas.append(closed(self.theirs["response_schema"]))
        return [jsonschema.Draft202012Validator(schema) for schema in schemas]

    def check_request(self, body: str) -> None:
        for validator in self._requests:
            validator.validate(json.loads(body))

    def check_reply(self, reply: Any) -> Any:
        """Return the reply's data."""
        for validator in self._replies:
            validator.validate(reply.json())
        return reply.json()["data"]

    def check_query(self, sent: dict[str, str]) -> None:
        assert set(sent) <= set(self.query)
        for key, allowed in self.query.items():
            if key in sent and allowed:
                words = isinstance(allowed[0], str)
                low, high = allowed[0], allowed[-1]
                fits = sent[key] in allowed if words else low <= int(sent[key]) <= high
                assert fits, (key, sent[key])


@pytest.fixture(scope="session")
def contract() -> dict[str, Declared]:
    table = yaml.safe_load(Path(__file__).with_name("heygen.yaml").read_text("utf-8"))
    return {name: Declared(name, ours) for name, ours in table["calls"].items()}


@pytest.fixture
def schemas() -> Path:
    """The folder of HeyGen's own schemas; without it, one line says so."""
    if not FOLDER.is_dir():
        pytest.skip("HEYGEN_SCHEMAS names no folder: only our own table was checked")
    return FOLDER
