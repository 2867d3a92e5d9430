"""HeyGen's API v3: a client; ``wire`` has its typed requests and replies."""

from heygen_nb.heygen.client import HeyGenClient

__all__ = ["HeyGenClient"]
