"""The context that every family of rows gets: folders, durations, and the servers under test."""

import contextlib
import dataclasses
import pathlib
import shutil
import time

import machine
import redis
import servers

# All programs share two cores, and the store shares its core with the load. A long flush interval keeps its work rare,
# as on a busy portal.
FLUSH_INTERVAL = "10s"


@dataclasses.dataclass
class Context:
    # The folder of the programs.
    programs: pathlib.Path
    # The folder for data directories, on a real disk. It is removed in the end.
    folder: pathlib.Path
    # The duration of one turn.
    seconds: float
    rounds: int
    quick: bool
    curves: list = dataclasses.field(default_factory=list)
    _begun: float = dataclasses.field(default_factory=time.monotonic)

    def progress(self, text):
        print(f"[{time.monotonic() - self._begun:5.0f} s] {text}", flush=True)

    def seconds_since_start(self):
        return time.monotonic() - self._begun

    @contextlib.contextmanager
    def empty_folder(self, name):
        """Creates an empty folder below `folder`, and removes it afterwards."""
        path = self.folder / name
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir(parents=True)
        try:
            yield path
        finally:
            shutil.rmtree(path, ignore_errors=True)

    @contextlib.contextmanager
    def service(self, name, *flags, flush_interval=FLUSH_INTERVAL):
        """Starts viewcountd with a store of its own.

        In the end, the store must have exactly the views that the service counted.
        """
        with self.empty_folder(name) as folder, \
                redis.Redis(folder / "redis", machine.LOAD_CORE, persistent=True) as store, \
                servers.Viewcountd(self.programs, folder / "data", store, flush_interval, *flags) as service:
            yield service
            verify(service)


def terms(service, flushed_at_end=False):
    """Returns the terms of the service's answers: its flush interval and its durability."""
    also = " and at each turn's end" if flushed_at_end else ""
    return f"flush {service.flush_interval}{also}, journaled; Redis: {service.store.durability}"


def verify(service):
    """Raises unless the store holds exactly the views that the service counted."""
    service.flush()
    counted, stored = int(service.metrics()["viewcount_views_counted_total"]), service.stored_views()
    if counted != stored:
        raise RuntimeError(f"the service counted {counted} views, and the store has {stored}")
