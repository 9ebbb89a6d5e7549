"""What a walk says if the API does not return all that a query finds."""

from __future__ import annotations

from collections.abc import Iterator, Sized

from flex_integration_sdk.errors import PaginationLimitError

from .page import moment_text
from .position import Position

_SHOWN = 3  # moments that a message names
_BY_CREATION = ("listings", "users", "transactions")  # whose queries can go by createdAt


def limit_error(position: Position) -> PaginationLimitError | None:
    """The error to raise at the end of a walk; None: the API returned all."""
    said = [*_beyond(position), *_in_another_order(position)]
    if not said:
        return None
    counts = position.limits or position.missed
    total, reachable = counts.get(None) or next(iter(counts.values()))
    again = "" if position.limits else "walk through it once more later, or "
    text = (
        f"{'; '.join(said)}. All others were returned, {position.done} in all. For the rest, "
        f"{again}{_advice(position)}"
    )
    return PaginationLimitError(text, total=total, done=position.done, reachable=reachable)


def _beyond(position: Position) -> Iterator[str]:
    """What page numbers do not reach."""
    if None in position.limits:
        total, reachable = position.limits[None]
        found = "more resources" if total is None else f"{total} resources"
        yield f"{position.query} finds {found}, of which the API returned only {reachable}"
    moments = {each: counts for each, counts in position.limits.items() if each is not None}
    for moment, (total, reachable) in list(moments.items())[:_SHOWN]:
        found = f"more than {reachable}" if total is None else str(total)
        yield (
            f"{found} of {position.query} have the createdAt {moment_text(moment)}, of which the "
            f"API returned only {reachable}"
        )
    yield from _more(moments)


def _in_another_order(position: Position) -> Iterator[str]:
    """What was missing in each walk through all pages."""
    why = "it returned them in another order each time"
    if None in position.missed:
        total, came = position.missed[None]
        yield f"{position.query} finds {total} resources, of which the API returned {came}: {why}"
    moments = {each: counts for each, counts in position.missed.items() if each is not None}
    for moment, (total, came) in list(moments.items())[:_SHOWN]:
        yield (
            f"{total} of {position.query} have the createdAt {moment_text(moment)}, of which the "
            f"API returned {came}: {why}"
        )
    yield from _more(moments)


def _more(moments: Sized) -> Iterator[str]:
    if len(moments) > _SHOWN:
        yield f"there are {len(moments) - _SHOWN} more such moments"


def _advice(position: Position) -> str:
    """How to get what is missing, without a change of what is asked for."""
    own = {"sort", "keywords", "origin"} & set(position.arguments)
    resource = position.query.partition(".")[0]
    of_query = None in position.limits or None in position.missed
    if of_query and own == {"sort"} and resource in _BY_CREATION:
        return "omit sort: then it goes by createdAt, without a limit"
    if of_query and resource in (*_BY_CREATION, "files"):
        return "narrow the query by created_at_start and created_at_end, and walk through each part"
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
