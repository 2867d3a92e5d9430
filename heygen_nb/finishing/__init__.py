"""What this machine does to a film: captions, another canvas, loudness, the check.

Files in, files out; nothing here knows HeyGen, drafts or the ledger. Its names stand in
``__init__.pyi``; codecs are 40 MB, so they are loaded on first use.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
