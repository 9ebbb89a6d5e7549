"""Parameters as other SDKs and other APIs call them."""

from __future__ import annotations

from collections.abc import Iterable

from .misspelling import plain

_NAMES = {
    "per_page": (
        "page_size",
        "page_limit",
        "page_length",
        "max_results",
        "num_results",
        "items_per_page",
        "results_per_page",
    ),
    "page": ("page_number", "page_no", "page_num", "page_index"),
    "created_at_start": (
        "created_after",
        "created_at_after",
        "created_since",
        "created_from",
        "created_gt",
        "created_gte",
        "created_at_gt",
        "created_at_gte",
        "created_at_min",
        "created_at_from",
    ),
    "created_at_end": (
        "created_before",
        "created_at_before",
        "created_until",
        "created_to",
        "created_lt",
        "created_lte",
        "created_at_lt",
        "created_at_lte",
        "created_at_max",
        "created_at_to",
    ),
    "sort": ("sort_by", "order_by", "ordering", "sort_order"),
    "keywords": ("search", "search_term", "query_string", "full_text"),
    "on_progress": ("progress", "on_upload_progress", "progress_callback"),
}
_MEANT = {each.replace("_", ""): name for name, others in _NAMES.items() for each in others}


def called_here(name: str, known: Iterable[str]) -> str:
    """What is called so elsewhere; empty: nothing that is known here.

    Args:
        name: What was typed; capitals, dashes and underscores do not count.
        known: The names that there are.
    """
    found = _MEANT.get(plain(name), "")
    return found if found in {*known} else ""
