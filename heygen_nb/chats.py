"""How Telegram takes texts, files and the names of chats.

Its library is not loaded for it: panels count letters long before anything is posted.
"""

import re
from itertools import accumulate, takewhile
from unicodedata import category, combining

from heygen_nb.errors import ConfigError
from heygen_nb.i18n import gettext as _

MAX_CAPTION, MAX_MESSAGE = 1_024, 4_096  # UTF-16 code units
MAX_FILE_BYTES = 50_000_000  # core.telegram.org/bots/api#sendvideo

_PARAGRAPH = re.compile(r"(?=\n\s*\n)")
# A stop behind a number, an initial or a short form ends no sentence.
_SENTENCE = re.compile(
    r"(?:(?P<word>[\w.]*)\.|[!?…]+)[»”\"')\]]*(?=\s+[^\sa-zа-яё])|(?=\n)"
)
_SHORT_FORM = re.compile(
    r"[\d.,]+|(?:[^\W\d_]\.)*[^\W\d_]|mr|mrs|ms|dr|prof|st|no|vs|approx|sr|jr"
    r"|ул|см|стр|им|др|пр|проф|тов|гр|рис|табл|гл",
    re.IGNORECASE,
)
_WORD = re.compile(r"(?=[^\S\xa0\u202f])")
_JOINER, _FLAG = "\u200d", re.compile("[\U0001f1e6-\U0001f1ff]")
_NAME = re.compile(r"@?([A-Za-z]\w{3,31})")
_LINK = re.compile(
    r"(?:https?://)?(?:(?:www\.)?(?:t|telegram)\.(?:me|dog)/|web\.telegram\.org/\w+/#"
    r"|tg://resolve/?\?domain=)(.+)",
    re.IGNORECASE,
)
_OWN_HOST = re.compile(r"(?:https?://)?([A-Za-z]\w{3,31})\.t\.me/?", re.IGNORECASE)
_TOPIC = re.compile(r"^(-\d+)_(\d+)$")  # as the web client shows a forum's topic
_SUPERGROUP = "-100"  # before the number that links and the web client show
_FLAGS_END = re.compile("[\U0001f1e6-\U0001f1ff]+$")
# signs of one picture, besides marks: skin tones, tags, the Thai and Lao “am”
_ATTACHED = re.compile("[\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f\u0e33\u0eb3]")
_VIRAMA = 9  # its class: it joins the letter before it to the one behind


def split_caption(text: str) -> list[str]:
    """Cut a text into a caption and the messages that follow it.

    Cuts fall between paragraphs, else sentences, else words; only the white space
    there is dropped. Lengths are counted in UTF-16 code units, as Telegram does.
    """
    parts: list[str] = []
    rest, limit = text.strip(), MAX_CAPTION
    while True:
        cut = _cut(rest, limit)
        parts.append(rest[:cut].rstrip())
        rest, limit = rest[cut:].lstrip(), MAX_MESSAGE
        if not rest:
            return parts


def _cut(text: str, limit: int) -> int:
    units = accumulate(1 + (sign > "\uffff") for sign in text)
    fits = sum(1 for _unit in takewhile(limit.__ge__, units))
    if fits == len(text):
        return fits
    # a tidy cut that wastes more than half of the room is worse than a plain one
    for pattern, least in ((_PARAGRAPH, fits // 2), (_SENTENCE, fits // 2), (_WORD, 1)):
        found = (
            m.end()
            for m in pattern.finditer(text, 0, fits + 3)
            if not _SHORT_FORM.fullmatch(m.groupdict().get("word") or "")
        )
        if cuts := [end for end in found if least <= end <= fits]:
            return cuts[-1]
    return next((cut for cut in range(fits, 0, -1) if not _is_inside(text, cut)), fits)


def _is_inside(text: str, cut: int) -> bool:
    """Tell whether a cut would part an emoji or a letter from what belongs to it."""
    before, after = text[cut - 1], text[cut]
    if _FLAG.match(before) and _FLAG.match(after):
        flags = len(text[:cut]) - len(_FLAGS_END.sub("", text[:cut]))
        return flags % 2 == 1
    joined = _JOINER in (before, after) or combining(before) == _VIRAMA
    return joined or bool(_ATTACHED.match(after)) or category(after)[0] == "M"


def chat_of(text: str) -> str:
    """Return the Bot API's name of a chat, however people write it.

    Links such as ``https://t.me/channel`` and ``t.me/c/1234567890/5`` are taken, and
    names with and without ``@``.

    Raises:
        ConfigError: It is an invitation, which names no chat.
    """
    text = text.strip()
    if own := _OWN_HOST.fullmatch(text):
        return f"@{own[1]}"
    link = _LINK.fullmatch(text)
    path = re.split(r"[/?&]", link[1]) if link else [text]
    if path[0].startswith("+") or path[0] == "joinchat":
        told = _("An invitation link names no chat: {link}.")
        hint = _("Set telegram_chat_id, such as @my_channel or -1001234567890.")
        raise ConfigError(told, hint=hint, link=text)
    if path[0] == "c" and len(path) > 1:
        return f"{_SUPERGROUP}{path[1]}"
    chat = path[1] if path[0] == "s" and len(path) > 1 else path[0]
    if name := _NAME.fullmatch(chat):
        return f"@{name[1]}"
    return _TOPIC.sub(r"\1/\2", chat)


def ways_to(chat_id: str) -> list[str]:
    """Return a chat's number, and as it is with the sign that was forgotten."""
    digits = chat_id.removeprefix("-")
    if not re.fullmatch(r"\d{9,}", digits) or chat_id.startswith(_SUPERGROUP):
        return [chat_id]
    return [chat_id, f"{_SUPERGROUP}{digits}"]
