"""A local stand-in for HeyGen and Telegram: real HTTP, real videos, no money.

``start_sandbox`` (``process.py``) runs it beside the caller; ``create_app``
(``app.py``) is the application; ``/_sandbox/…`` steers it.
"""
