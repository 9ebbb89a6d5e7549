"""What is said of each reason for which an envelope cannot be used."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flex_tokenstore import TokenIdentity

    from ._envelope import Reason


def told(reason: Reason, identity: TokenIdentity, key_id: str | None, first: str | None) -> str:
    """The message, after the location of the token. Nothing was changed in any of these cases.

    Args:
        reason: Why the envelope cannot be used.
        identity: Whose token is asked for.
        key_id: Of the key that the envelope names.
        first: Of the key that encrypts now.
    """
    program = identity.program
    rekey = f"`{program.command} token rekey`" if program.command else "a save"
    restore = f"restore it from a backup, or remove it with {program.removal} and sign in again"
    return {
        "plaintext": (
            "holds a token that is not encrypted, which the store 'encrypted' does not use: "
            "anybody may have put it there. If it is this program's own, encrypt it by "
            f"{rekey} with the option migrate=true; else remove it with {program.removal}"
        ),
        "cut": f"holds an encrypted token whose end is missing; {restore}",
        "changed": (
            "holds an encrypted token that was changed after it was encrypted, or was encrypted "
            f"with another key of the same id; {restore}"
        ),
        "another identity": (
            f"holds the encrypted token of another client, environment or profile, not one of "
            f"{identity.key}. It was copied or moved there; put it back, or choose another location"
        ),
        "unknown key": (
            f"holds a token that was encrypted with the key {key_id}, which is not among the keys "
            f"of this program (the first one is {first}). Add that key after the first one. If it "
            f"is lost, remove the token with {program.removal} and sign in again"
        ),
        "newer format": (
            "holds an encrypted token that a newer version of flex-tokenstore-encrypted wrote; "
            "upgrade that package"
        ),
    }[reason]
