"""Keys in the system's keychain, by the package ``keyring``."""

from __future__ import annotations

from typing import Any

from flex_tokenstore import Secret

from ._key_text import from_text
from ._sources import Read, unavailable, wrong

ENCRYPTED = frozenset(
    {
        "keyring.backends.macOS.Keyring",
        "keyring.backends.Windows.WinVaultKeyring",
        "keyring.backends.SecretService.Keyring",
        "keyring.backends.libsecret.Keyring",
        "keyring.backends.kwallet.DBusKeyring",
        "keyring.backends.kwallet.DBusKeyringKWallet4",
        "keyrings.alt.file.EncryptedKeyring",
        "keyrings.cryptfile.cryptfile.CryptFileKeyring",
    }
)
"""Backends that keep what they hold encrypted. The others keep it as it is, drop it, or are for
something else, such as the passwords of package indexes."""


class NoBackendError(Exception):
    """No keychain can be used; the text says why."""


class KeychainSource:
    """The option ``key_keychain``."""

    reads_again = True

    def __init__(self, entry: str) -> None:
        self._entry = entry

    def stamp(self) -> object:
        """It is not seen whether the keychain has changed."""
        return None

    def read(self) -> Read:
        """Asks the keychain."""
        try:
            found = Secret(backend().get_password(*parts_of(self._entry)))
        except NoBackendError as error:
            return Read((), unavailable("key_keychain", str(error)))
        except Exception as error:  # noqa: BLE001 - of any backend; its text may hold anything
            problem = f"cannot be read now ({type(error).__name__}): is the keychain locked?"
            return Read((), unavailable("key_keychain", problem))
        if found.reveal() is None:
            problem = (
                f"names {self._entry!r}, which the keychain does not have; make it with: "
                f"python -m flex_tokenstore_encrypted new-key --keychain {self._entry}"
            )
            return Read((), wrong("key_keychain", problem))
        keys, told = from_text(found)
        return Read(keys, wrong("key_keychain", f"({self._entry!r}) {told}") if told else None)


def parts_of(entry: str) -> tuple[str, str]:
    """Service and user name of ``service/username``."""
    service, _, username = entry.partition("/")
    return service, username


def backend() -> Any:
    """The keychain to use: the one that was named for keyring, or the best that encrypts.

    Raises:
        NoBackendError: There is none.
    """
    try:
        from keyring import core
        from keyring.backend import get_all_keyring
    except ImportError:
        raise NoBackendError(
            "needs the package keyring, which is not installed; from the root of a clone of the "
            "project: python -m pip install . './plugins/flex-tokenstore-encrypted[keychain]'"
        ) from None
    try:
        named = core.load_env() or core.load_config()
    except Exception as error:  # noqa: BLE001 - a class that cannot be imported, a wrong file
        named, problem = None, type(error).__name__
        raise NoBackendError(
            f"cannot be used: the keyring backend that PYTHON_KEYRING_BACKEND or keyringrc.cfg "
            f"names cannot be loaded ({problem})"
        ) from None
    found = get_all_keyring() if named is None else [named]
    # One that tries several in turn could end at one that does not encrypt.
    found = [each for one in found for each in getattr(one, "backends", (one,))]
    good = [each for each in found if _path(each) in ENCRYPTED]
    if good:
        return max(good, key=lambda each: float(each.priority))
    seen = ", ".join(sorted(map(_path, found))) or "none"
    raise NoBackendError(
        f"needs a keychain that encrypts, and keyring has: {seen}. On Linux start gnome-keyring or "
        "KWallet; on a server use key_file or key_command"
    )


def _path(of: object) -> str:
    return f"{type(of).__module__}.{type(of).__qualname__}"
