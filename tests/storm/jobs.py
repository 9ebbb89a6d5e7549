"""A Celery application with an SDK instance that is made and used before the pool is forked.

``python -m tests.storm.jobs N`` has ``N`` jobs done and prints what they gave.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from celery import Celery, group

from flex_integration_sdk import create_instance

folder = Path(os.environ["STORM_FOLDER"])
queue = folder / "queue"
(folder / "results").mkdir(exist_ok=True)
queue.mkdir(exist_ok=True)

app = Celery("storm", broker="filesystem://", backend=f"file://{folder / 'results'}")
app.conf.broker_transport_options = {
    "data_folder_in": str(queue),
    "data_folder_out": str(queue),
    "control_folder": str(folder / "control"),
}
app.conf.worker_prefetch_multiplier = 1
app.conf.broker_connection_retry_on_startup = True

sdk = create_instance()
if "worker" in sys.argv:
    sdk.marketplace.show()


@app.task(name="storm.call")  # type: ignore[untyped-decorator]  # celery has no types
def call(start: float) -> dict[str, Any]:
    """Calls the API at ``start``; tells the access token's digest and the process."""
    time.sleep(max(0.0, start - time.time()))
    sdk.marketplace.show()
    return {"token": sdk.session.token().digest, "pid": os.getpid()}


def main(count: int) -> int:
    start = time.time() + 0.5
    results = group(call.s(start) for _ in range(count)).apply_async()
    print(json.dumps(results.get(timeout=60, interval=0.05)))
    sdk.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
