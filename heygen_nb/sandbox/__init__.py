"""A local stand-in for HeyGen and Telegram: real HTTP, real videos, no money.

``start_sandbox`` (``process.py``) runs it beside the caller, ``serve`` and
``run_in_thread`` (``server.py``) in the caller; ``/_sandbox/…`` steers it.
"""
