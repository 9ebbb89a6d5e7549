"""What a walk says if the API does not return all that a query finds."""

from __future__ import annotations

from flex_integration_sdk.errors import PaginationLimitError

from .page import moment_text
from .position import Position

_SHOWN = 3  # moments that a message names


def limit_error(position: Position) -> PaginationLimitError | None:
    """The error to raise at the end of a walk; None: the API returned all."""
    if not position.limits:
        return None
    moments = {each: counts for each, counts in position.limits.items() if each is not None}
    total, reachable = position.limits.get(None) or next(iter(moments.values()))
    said = [
        f"{total if total is not None else 'more than ' + str(reachable)} of {position.query} have "
        f"the createdAt {moment_text(moment)}, of which the API returned only {reachable}"
        for moment, (total, reachable) in list(moments.items())[:_SHOWN]
    ]
    if len(moments) > _SHOWN:
        said.append(f"there are {len(moments) - _SHOWN} more such moments")
    advice = "narrow the query by another argument, and walk through each part"
    if None in position.limits:
        found = "more resources" if total is None else f"{total} resources"
        said.insert(
            0, f"{position.query} finds {found}, of which the API returned only {reachable}"
        )
        advice = _advice(position)
    text = (
        f"{'; '.join(said)}. The iterator returned all others, {position.done} in all. For the "
        f"rest, {advice}"
    )
    return PaginationLimitError(text, total=total, done=position.done, reachable=reachable)


def _advice(position: Position) -> str:
    query = position.query.partition(".")[0]
    own = sorted({"sort", "keywords", "origin"} & set(position.arguments))
    narrow = "narrow the query by created_at_start and created_at_end, and walk through each part"
    if own and query in ("listings", "users", "transactions"):
        return f"omit {' and '.join(own)}: then the iterator goes by createdAt, without a limit"
    if query == "files":
        return narrow
    return "narrow the query by another argument, and walk through each part"


def unordered_error(position: Position) -> PaginationLimitError:
    """The error of a walk in which the API did not keep to the order."""
    return PaginationLimitError(
        f"the API returned a page of {position.query} that is not in the order that the query asks "
        f"for, so the resources after the first {position.done} cannot be found without a gap; "
        "walk through the pages by number, with query(page=…), or narrow the query",
        total=position.total,
        done=position.done,
        reachable=position.done,
    )
