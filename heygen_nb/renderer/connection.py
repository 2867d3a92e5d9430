"""Which account pays, and where its requests go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import SecretStr

    from heygen_nb.models import Account
    from heygen_nb.sandbox.handle import SandboxHandle


@dataclass(frozen=True, slots=True)
class Connection:
    """An account, its key and its address; ``sandbox`` when that is the backend."""

    account: Account
    base_url: str
    api_key: SecretStr
    sandbox: SandboxHandle | None = None
