"""Taking turns inside one process: two cells may ask for the same thing at once."""

from __future__ import annotations

import asyncio
from weakref import WeakValueDictionary

_LOCKS: WeakValueDictionary[tuple[object, ...], asyncio.Lock] = WeakValueDictionary()


def turn(*subject: object) -> asyncio.Lock:
    """Return the lock of a subject on this event loop, as long as somebody has it."""
    key = (asyncio.get_running_loop(), *subject)
    return _LOCKS.setdefault(key, asyncio.Lock())
