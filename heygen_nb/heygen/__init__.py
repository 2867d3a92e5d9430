"""HeyGen's API v3: a client; ``wire`` has its typed replies."""

from heygen_nb.heygen.client import HeyGenClient

__all__ = ["HeyGenClient"]
