"""Events of a session as sentences, for warnings and for ``--verbose``. None holds a secret."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ._words import in_cli_words

# By the event's name, and by name and reason where the reason changes what is to be said.
_SENTENCES = {
    "adopted": "the token in {place} is used",
    "conflict": "{place} held another token than expected, since another program refreshed it "
    "meanwhile, or ignores the lock",
    "discarded": "a token that could not be saved was dropped, since {place} holds another one",
    "discarded removed": "a token that could not be saved was dropped, since the one in {place} "
    "was removed",
    "quarantined": "what was stored is not a token and was moved aside: {why}",
    "refresh_rejected": "the server rejects the refresh token in {place} for good: it was revoked, "
    "or another program that does not share this store has used it",
    "refreshed": "the server refreshed the token{took}",
    "removed": "the token was removed from {place}",
    "renewal_failed": "no access token could be obtained: {why}",
    "renewal_postponed": "the token could not be refreshed, and the old one is used while it "
    "works: {why}",
    "request_failed": "a {grant} brought no token{took}{sent}: {why}",
    "request_failed not_sent": "a {grant} could not be sent: {why}",
    "revoked": "the server revoked the token",
    "save_failed": "the token was not saved in {place}, and stays in memory: {why}",
    "saved": "the token was saved in {place}",
    "saved after_all": "the token was saved in {place}, although the store reported an error",
    "signed_in": "signed in with the client secret{took}, since nothing is stored in {place}",
    "signed_in no_refresh_token": "signed in with the client secret{took}, since the token in "
    "{place} has no refresh token",
    "signed_in rejected": "signed in with the client secret{took}, since the server rejected the "
    "refresh token in {place}",
    "signed_in store_unavailable": "signed in with the client secret{took}, since the token store "
    "cannot be used",
    "store_unavailable": "the token store cannot be used, and the token is kept in memory: {why}",
    "waited": "the token lock was acquired{took}",
    "waited adopted": "waited for another program, which obtained the token{took}",
    "waited timeout": "another program held the token lock for too long{took}",
}
_GRANTS = {"refresh_token": "refresh", "client_credentials": "sign-in"}


def sentence_of(facts: Mapping[str, Any]) -> str:
    """What happened, without a full stop.

    Args:
        facts: The fields of an ``Event``, as its ``to_dict`` returns them.
    """
    name = str(facts["name"])
    template = _SENTENCES.get(f"{name} {facts.get('reason')}") or _SENTENCES.get(name)
    if template is None:  # of a newer version of the framework
        return name.replace("_", " ")
    seconds = facts.get("seconds")
    return template.format(
        place=facts.get("place", "the token store"),
        why=in_cli_words(facts.get("error") or "") or facts.get("error_type") or "no reason given",
        took="" if seconds is None else f" ({seconds:.2f} s)",
        grant=_GRANTS.get(facts.get("grant_type") or "", "token request"),
        sent=", and the client secret was sent" if facts.get("secret_sent") else "",
    )
