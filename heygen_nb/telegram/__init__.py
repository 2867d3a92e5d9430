"""Posts to Telegram: each arrives once or is said to be unsure."""

from heygen_nb.telegram.captions import MAX_CAPTION, MAX_MESSAGE, split_caption
from heygen_nb.telegram.poster import MAX_FILE_BYTES, ChatCheck, TelegramPoster

__all__ = [
    "MAX_CAPTION",
    "MAX_FILE_BYTES",
    "MAX_MESSAGE",
    "ChatCheck",
    "TelegramPoster",
    "split_caption",
]
