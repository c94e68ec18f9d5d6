"""A kernel with IPsec: Debian's User Mode Linux, a process like any other, with this machine's files read-only beneath it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

CHECKOUT = Path(__file__).parents[2]
INIT = Path(__file__).with_name("init.sh")
KERNEL = "linux.uml"
MEMORY = "768M"
SECONDS = 300
"""A kernel that has not halted by then is ended."""


class KernelTestError(Exception):
    """The kernel did not come to its end; the text is what it printed."""


def boot(story: str, out: Path) -> None:
    """Boot, run a module of tests as `python -m`, and halt. What it writes to its argument is in `out`.

    The kernel's own exit status says nothing: the story's stands in `out`, and a missing one is a failure.
    """
    kernel = shutil.which(KERNEL)
    if kernel is None:
        raise KernelTestError(f"{KERNEL} is missing: sh .ci/tools {KERNEL} installs it (Debian's user-mode-linux)")
    settings = {"CHECKOUT": CHECKOUT, "PYTHON": Path(sys.executable), "OUT": out, "STORY": story}
    command = [
        kernel,
        f"mem={MEMORY}",
        "rootfstype=hostfs",
        "rootflags=/",
        "ro",
        "quiet",
        "con=null",
        "con0=null,fd:1",
        f"uml_dir={out}",
        f"init={INIT}",
        *(f"{name}={value}" for name, value in settings.items()),
    ]
    console = out / "console.txt"
    with console.open("wb") as printed:
        ended = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=printed, stderr=printed, timeout=SECONDS, check=False)
    status = out / "status"
    if not status.exists() or status.read_text().strip() != "0":
        said = [name.read_text(errors="replace")[-3000:] for name in (console, out / "output.txt") if name.exists()]
        raise KernelTestError(f"{story} failed (the kernel ended with {ended.returncode}):\n" + "\n".join(said))
