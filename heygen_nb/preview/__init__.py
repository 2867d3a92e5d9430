"""The animatic: a draft seen and heard on this machine, free and in seconds.

Files in, MP4 + SRT + JPEG out; nothing here knows HeyGen, drafts or the ledger. Its
names stand in ``__init__.pyi``; codecs are 40 MB, so they are loaded on first use.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
