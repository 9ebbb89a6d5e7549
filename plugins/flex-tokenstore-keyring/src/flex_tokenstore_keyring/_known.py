"""Which backends of keyring encrypt what they keep."""

from __future__ import annotations

import difflib
from typing import NamedTuple


class Kind(NamedTuple):
    """A backend that is known to encrypt."""

    label: str
    """What people call it."""
    largest: int | None = None
    """Characters of the largest item; None: as large as any token."""
    install: str = ""
    """What has to be installed for it."""


SECRET_SERVICE = "keyring.backends.SecretService.Keyring"  # noqa: S105 - the name of a class
LIBSECRET = "keyring.backends.libsecret.Keyring"
KWALLET = "keyring.backends.kwallet.DBusKeyring"
MACOS = "keyring.backends.macOS.Keyring"
WINDOWS = "keyring.backends.Windows.WinVaultKeyring"

KWALLET4 = "keyring.backends.kwallet.DBusKeyringKWallet4"
ON_DBUS = {SECRET_SERVICE, LIBSECRET, KWALLET, KWALLET4}
"""Those that may be there later; the others can be used at once or not at all."""

KNOWN = {
    MACOS: Kind("the macOS Keychain"),
    # CRED_MAX_CREDENTIAL_BLOB_SIZE is 2,560 bytes, and keyring writes UTF-16: 1,280 characters.
    WINDOWS: Kind("the Windows Credential Manager", 1200),
    SECRET_SERVICE: Kind("the Secret Service", install="SecretStorage"),
    LIBSECRET: Kind("the Secret Service, by libsecret", install="PyGObject"),
    KWALLET: Kind("KWallet", install="dbus-python"),
    KWALLET4: Kind("KWallet 4", install="dbus-python"),
    "keyrings.alt.file.EncryptedKeyring": Kind(
        "an encrypted file of keyrings.alt", install="keyrings.alt pycryptodome"
    ),
    "keyrings.cryptfile.cryptfile.CryptFileKeyring": Kind(
        "an encrypted file of keyrings.cryptfile", install="keyrings.cryptfile"
    ),
}
"""All of them, by the full name of their class. Not by their priority: several packages that
register a backend of a high priority look up passwords for one program and keep none."""

KEEPS_NOTHING = {
    "keyring.backends.null.Keyring": "which keeps nothing: with it, keyring is switched off",
    "keyring.backends.fail.Keyring": "which refuses every call",
}

UNNAMED = {"keyring.backends.chainer.ChainerBackend"}
"""It asks one backend after the other, so that a token could fall through to a plaintext one. Who
names it gets the system's own."""


def how_to_allow(name: str) -> str:
    """What is wrong with an unknown backend, and what to do."""
    near = difflib.get_close_matches(name, KNOWN, n=1, cutoff=0.87)
    hint = f"Is {near[0]} meant? Or omit" if near else "Omit"
    return (
        f"is not known to encrypt what it keeps. {hint} it to use the system's own keyring; or set "
        "the option allow_plaintext to true, if the token may be kept in plaintext"
    )
