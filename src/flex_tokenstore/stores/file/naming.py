"""Which identity's file has the documented name."""

from __future__ import annotations

from flex_tokenstore._values.secret import Secret
from flex_tokenstore.stores.file.format import read_content
from flex_tokenstore.stores.file.private_files import PrivateFiles, Signature

STEM = "file-store-token"
MAIN = f"{STEM}.json"
OWNER = f"{STEM}.owner"


class FileNames:
    """Names of one identity's file in a folder that several identities share.

    The first identity to save there owns :data:`MAIN`; every other has a sibling, named after
    it. Ownership is what the file :data:`OWNER` contains: once published it stays, so that no
    removal, revocation or race moves it.

    Args:
        files: The folder.
        key: ``TokenIdentity.key``.
        fixed: The one name to use, whoever asks; nothing is owned then.
    """

    def __init__(self, files: PrivateFiles, key: str, *, fixed: str | None) -> None:
        self._files = files
        self._key = key
        self._fixed = fixed
        self._seen: tuple[Signature, str] | None = None
        self.sibling = f"{STEM}.{key}.json"

    def current(self) -> str:
        """The file to read; one ``stat`` call if nothing changed."""
        if self._fixed is not None:
            return self._fixed
        return MAIN if self._owner() == self._key else self.sibling

    def likely(self) -> str:
        """The file that is or, with none there yet, would be written."""
        name = self.current()
        if name != self.sibling or self._owner() is not None:
            return name
        taken = any(self._files.signature(other) for other in (self.sibling, MAIN))
        return self.sibling if taken else MAIN

    def may_claim(self) -> bool:
        """Whether :meth:`claim` is worth a try. Under the sibling's write lock.

        Whoever has a sibling stays there.
        """
        if self._fixed is not None:
            return False
        owner = self._owner()
        return owner == self._key or (owner is None and self._files.signature(self.sibling) is None)

    def claim(self) -> bool:
        """Claims :data:`MAIN` if that is free; True if this identity owns it.

        Under the write locks of the sibling, so that none is written meanwhile, and of
        :data:`MAIN`, so that one identity at a time claims it.
        """
        if self._owner() is None and self.is_free():
            # By a rename: whoever reads it without a lock sees a whole key or none.
            self._files.replace(self._files.folder / OWNER, Secret(self._key.encode()))
        return self._owner() == self._key

    def is_free(self) -> bool:
        """Whether :data:`MAIN` holds nothing, or this identity's token."""
        found = self._files.read(self._files.resolve(MAIN))
        return found is None or read_content(*found).identity == self._key

    def _owner(self) -> str | None:
        before = self._files.signature(OWNER)
        if before is None:
            return None
        if self._seen is None or self._seen[0] != before:
            found = self._files.read(self._files.resolve(OWNER))
            if found is None:
                return None
            # With the signature of what was read: it may have changed since the look above.
            self._seen = (found[1], found[0].reveal().decode("ascii", "replace").strip())
        return self._seen[1] or None  # an empty one names nobody
