"""A checkpoint of an engine that has read a log, for `run.py`: prints a JSON object with times and size, and ends.

python -m tests.bench.checkpoint_run racoon.log
"""

from __future__ import annotations

import json
import sys
import time
from statistics import median
from typing import Final

from racoon_exporter.engine import restore, to_json
from tests.bench.engine_run import new_engine, pass_over

ROUNDS: Final = 5


def main(path: str) -> None:
    """Read, write the state down, read it again, and print what it took."""
    engine = new_engine()
    pass_over(engine, path)
    made, written, read, text = [], [], [], ""
    for _ in range(ROUNDS):
        begun = time.process_time()
        content = to_json(engine)
        made.append(time.process_time() - begun)
        text = json.dumps(content, separators=(",", ":"))
        written.append(time.process_time() - begun)
        begun = time.process_time()
        restore(new_engine(), json.loads(text))
        read.append(time.process_time() - begun)
    result = {"made": median(made[1:]), "written": median(written[1:]), "read": median(read), "bytes": len(text)}
    json.dump(result, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1])
