"""Records what upstream's scheduler says about random clusters, for ``test_upstream.py``.

``python -m tests.scheduler.record_upstream`` needs Go. The recorder, ``upstream/main.go``, drives
the plugins of the version that ``conformance/go.mod`` pins.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

from tests.scheduler.random_clusters import RandomCluster

HERE = Path(__file__).resolve().parent
RECORD = HERE.parent / "cases" / "scheduler" / "upstream.jsonl"


def record(seeds: range) -> list[dict[str, object]]:
    clusters = [RandomCluster(seed) for seed in seeds]
    asked = "\n".join(json.dumps({"objects": one.objects, "pod": one.pod}) for one in clusters)
    conformance = HERE.parent.parent / "conformance"
    program = str(HERE / "upstream" / "main.go")
    run = subprocess.run(
        ["go", "run", "-mod=readonly", program],
        input=asked,
        cwd=conformance,
        check=True,
        text=True,
        stdout=subprocess.PIPE,
    )
    answers = [json.loads(line) for line in run.stdout.splitlines()]
    return [{"seed": seed, **answer} for seed, answer in zip(seeds, answers, strict=True)]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--number", type=int, default=250, help="how many clusters")
    parser.add_argument("--output", type=Path, default=RECORD)
    options = parser.parse_args()
    lines = record(range(options.first, options.first + options.number))
    options.output.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    sys.stdout.write(f"{len(lines)} clusters in {options.output}\n")
