"""The arguments that environment variables and the config file can complete."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True, repr=False, eq=False)
class Given:
    """They are as the program passed them, so some hold a secret. It shows no value.

    Tracebacks may show the locals of each frame. So whoever is given such arguments puts them in
    here, and deletes its own names of them, before anything can raise. Somebody may also have put
    the secret in the place of the file, and a password into the address.
    """

    client_id: Any = None
    client_secret: Any = None
    client_secret_file: Any = None
    token_store: Any = None
    base_url: Any = None
    profile: Any = None
    config: Any = None
    allow_http: Any = None
    require_encrypted: Any = None

    def __reduce_ex__(self, protocol: Any) -> Any:
        raise TypeError("arguments cannot be pickled: the secret would travel in the clear")
