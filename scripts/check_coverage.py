"""Fail if the test coverage of any package is below a minimum."""

import json
import sys
from pathlib import Path


def main(report: str, minimum: str, *packages: str) -> int:
    """Print the coverage of every package; return 1 if one is below `minimum` percent."""
    files = json.loads(Path(report).read_text(encoding="utf-8"))["files"]
    failed = False
    for package in packages:
        summaries = [file["summary"] for name, file in files.items() if name.startswith(f"{package}/")]
        lines = sum(summary["num_statements"] for summary in summaries)
        covered = 100 * sum(summary["covered_lines"] for summary in summaries) / max(lines, 1)
        failed |= covered < float(minimum)
        print(f"coverage of {package:<14} {covered:5.1f} %")
    if failed:
        print(f"every package needs {minimum} %")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
