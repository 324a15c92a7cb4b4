"""
Run every benchmark, or those that are named.

    python -m tests.benchmarks [import related ...]
"""

import importlib
import sys
from pathlib import Path


def main() -> None:
    wanted = sys.argv[1:]
    for file in sorted(Path(__file__).parent.glob("bench_*.py")):
        name = file.stem.removeprefix("bench_")
        if wanted and name not in wanted:
            continue
        print(f"== {name}", flush=True)
        sys.argv = [str(file)]  # a benchmark may read sizes of its own from there
        importlib.import_module(f"tests.benchmarks.{file.stem}").main()


if __name__ == "__main__":
    main()
