"""Writes each sample as a file of a fuzzing corpus: `python -m tests.fuzz.seed_corpus FOLDER`."""

import sys
from pathlib import Path

from tests.parsers.samples import FOLDER, read_samples


def seed(folder: Path) -> int:
    """Fill a folder; give the number of files in it."""
    folder.mkdir(parents=True, exist_ok=True)
    samples = [sample for path in sorted(FOLDER.glob("*.log")) for sample in read_samples(path)]
    for number, sample in enumerate(samples):
        (folder / f"sample-{number:04d}").write_bytes(b"\1" + "\n".join(sample.lines).encode())
    return len(samples)


if __name__ == "__main__":
    print(f"{seed(Path(sys.argv[1]))} samples")
