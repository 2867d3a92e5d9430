"""The table itself: nothing read stands outside of it, nothing in it is invented."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
from pydantic import AliasChoices, AliasPath

from heygen_nb.heygen.wire import (
    AccountReply,
    AssetReply,
    BatchReply,
    CreatedVideo,
    LookReply,
    SpeechReply,
    StatusRow,
    VideoReply,
    VoiceReply,
)

if TYPE_CHECKING:
    from pydantic import BaseModel

READ = {
    "video_create": CreatedVideo,
    "video_get": VideoReply,
    "video_list": VideoReply,
    "video_statuses_list": StatusRow,
    "video_batches_get": BatchReply,
    "voice_speech_create": SpeechReply,
    "voice_list": VoiceReply,
    "voice_get": VoiceReply,
    "avatar_looks_list": LookReply,
    "avatar_looks_get": LookReply,
    "user_me_get": AccountReply,
    "asset_create": AssetReply,
}


def read_by(model: type[BaseModel]) -> set[str]:
    aliases = {
        name: field.validation_alias for name, field in model.model_fields.items()
    }
    return {_first(alias) or name for name, alias in aliases.items()}


def _first(alias: str | AliasPath | AliasChoices | None) -> str | None:
    while isinstance(alias, AliasChoices):
        alias = alias.choices[0]
    return str(alias.path[0]) if isinstance(alias, AliasPath) else alias


@pytest.mark.parametrize("name", READ)
def test_every_field_the_client_reads_stands_in_the_table(contract, name):
    data = contract[name].reply["properties"]["data"]
    # whose voice it is, is told by the listing only, and read from there only
    unread = {"type"} if name == "voice_get" else set()

    told = set(data.get("items", data)["properties"])
    assert read_by(READ[name]) - unread <= told


def test_a_field_that_nobody_knows_is_refused(contract):
    video = '{"type": "avatar", "avatar_id": "l", "script": "Hi", "durration": 3}'

    with pytest.raises(jsonschema.ValidationError, match="durration"):
        contract["video_create"].check_request(video)


def fields(schema: dict[str, Any], where: str = "") -> dict[str, set[str]]:
    """Every field of a reply by its path, with the types it may have."""
    found = {}
    if "items" in schema:
        found |= fields(schema["items"], f"{where}[]")
    for name, inner in schema.get("properties", {}).items():
        types = inner.get("type", [])
        found[f"{where}.{name}"] = set(types if isinstance(types, list) else [types])
        found |= fields(inner, f"{where}.{name}")
    return found


def test_the_table_agrees_with_heygens_own_schemas(contract, schemas):
    for call in contract.values():
        theirs = call.theirs
        assert [call.method, call.path] == [theirs["method"], theirs["endpoint"]]
        params = {param["name"]: param for param in theirs["query_params"]}
        for name, allowed in call.query.items():
            range_ = [params[name]["minimum"], params[name]["maximum"]]
            assert allowed in (None, params[name]["enum"], range_)
        if theirs["response_schema"]:
            known = fields(theirs["response_schema"])
            for path, types in fields(call.reply).items():
                assert types <= known[path], (call.path, path)
