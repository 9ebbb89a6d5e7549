"""Acts on what happens to the marketplace's listings, until Ctrl-C or SIGTERM.

python examples/event_worker.py listings.cursor

It prints a line for each event; write what your program does into ``handle``. Start it twice, with
the same cursor and ``--worker NAME``: one of the two works, and the other takes over when the first
one ends or dies. For that they need a token store that both can use, such as ``file`` or ``redis``.
"""

import argparse
import json
import signal
from datetime import UTC, datetime

from flex_integration_sdk import create_instance
from flex_integration_sdk.resources import Event


def handle(event: Event) -> None:
    about = event.attributes
    row = {"event": about["sequenceId"], "type": about["eventType"], "of": str(about["resourceId"])}
    print(json.dumps(row), flush=True)


def main(arguments: argparse.Namespace) -> None:
    with (
        create_instance() as sdk,
        sdk.events.follow(
            cursor=arguments.cursor,
            event_types=["listing"],
            since=arguments.since,
            interval=arguments.interval,
            # The position is saved when an event is handled; "at-most-once": before.
            delivery=arguments.delivery,
            worker=arguments.worker,
            takeover=arguments.takeover,
            stop_on=(signal.SIGTERM, signal.SIGINT),
        ) as events,
    ):
        for event in events:
            handle(event)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cursor", help="the file that keeps the position")
    parser.add_argument("--since", type=moment, help="where the first run begins; default: now")
    parser.add_argument("--interval", type=float, default=300, help="seconds between two queries")
    parser.add_argument("--delivery", default="at-least-once", help="or at-most-once")
    parser.add_argument("--worker", help="a name that replicas share")
    parser.add_argument("--takeover", type=float, default=60, help="seconds, see the docs")
    return parser.parse_args()


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


if __name__ == "__main__":
    main(parse())
