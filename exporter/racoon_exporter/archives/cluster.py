"""A Dask cluster as an executor. It does the work again of workers that went; what it cannot do is said in one line."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Executor, Future
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from racoon_exporter.archives.distributed import Made, OtherVersionError

CONNECTED: Final = 10.0
"""Seconds for the scheduler to answer."""
PATIENCE: Final = 30.0
"""Seconds without any worker after which none is waited for."""
_LOOK: Final = 1.0
MISSING: Final = "--dask needs Dask: pip install 'racoon-exporter[dask]'"


class ClusterError(Exception):
    """What the cluster cannot do."""


@dataclass(slots=True)
class Cluster:
    """A cluster of at least one worker."""

    address: str
    client: Any
    executor: Executor
    patience: float
    monotonic: Callable[[], float] = time.monotonic

    @property
    def threads(self) -> int:
        """How many tasks it does at once."""
        return max(1, sum(self._workers().values()))

    def ask(self, future: Future[Made], what: str) -> Made:
        """Wait for an answer, as long as there is somebody who could give it."""
        from distributed import KilledWorker  # noqa: PLC0415  an extra

        seen = self.monotonic()
        while True:
            try:
                return future.result(timeout=_LOOK)
            except KilledWorker as error:
                raise ClusterError(
                    f"the Dask workers that read {what} died, the last of them {getattr(error.last_worker, 'address', '')}: "
                    "most often by too little memory; their logs tell"
                ) from error
            except CancelledError as error:
                raise ClusterError(f"the Dask scheduler at {self.address} is gone") from error
            except (ModuleNotFoundError, OtherVersionError) as error:
                raise ClusterError(f"a Dask worker is not as this machine: {error}") from error
            except TimeoutError:
                if future.done():
                    raise
            if self._workers():
                seen = self.monotonic()
            elif self.monotonic() - seen > self.patience:
                raise ClusterError(f"no worker is left at {self.address}, for {self.patience:.0f} seconds")

    def _workers(self) -> dict[str, int]:
        """Give the workers and their threads; none where the scheduler does not answer."""
        try:
            threads: dict[str, int] = self.client.nthreads() if self.client.status == "running" else {}
        except (OSError, TimeoutError):
            return {}
        return threads


@contextmanager
def dask_cluster(address: str, *, connected: float = CONNECTED, patience: float = PATIENCE) -> Iterator[Cluster]:
    """Give the cluster of a scheduler; what it was asked for and did not do is given up on leaving."""
    try:
        from distributed import Client  # noqa: PLC0415  an extra, and a second of imports
    except ModuleNotFoundError as error:
        raise ClusterError(MISSING) from error
    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # we say it ourselves, once
    try:
        connect: Any = Client
        client = connect(address, timeout=connected, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        raise ClusterError(f"no Dask scheduler answers at {address}") from error
    with client:
        try:
            client.wait_for_workers(1, timeout=patience)
        except TimeoutError as error:
            raise ClusterError(f"the Dask scheduler at {address} has no worker, for {patience:.0f} seconds") from error
        yield Cluster(address, client, client.get_executor(retries=0), patience)
