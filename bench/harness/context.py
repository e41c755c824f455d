"""What every family of rows is given."""

import contextlib
import dataclasses
import pathlib
import shutil
import time

import machine
import redis
import servers

# With everything on two cores the store shares the load's: it is given work seldom, as a busy portal would.
FLUSH_INTERVAL = "10s"


@dataclasses.dataclass
class Context:
    # Where the programs are.
    programs: pathlib.Path
    # For data directories, on a real disk; emptied in the end.
    folder: pathlib.Path
    # Of one turn.
    seconds: float
    rounds: int
    quick: bool
    curves: list = dataclasses.field(default_factory=list)
    _begun: float = dataclasses.field(default_factory=time.monotonic)

    def progress(self, text):
        print(f"[{time.monotonic() - self._begun:5.0f} s] {text}", flush=True)

    @contextlib.contextmanager
    def empty_folder(self, name):
        """A folder below `folder`, removed afterwards."""
        path = self.folder / name
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir(parents=True)
        try:
            yield path
        finally:
            shutil.rmtree(path, ignore_errors=True)

    @contextlib.contextmanager
    def service(self, name, *flags, flush_interval=FLUSH_INTERVAL):
        """viewcountd with a store of its own, which must have what was counted in the end, no more and no less."""
        with self.empty_folder(name) as folder, \
                redis.Redis(folder / "redis", machine.LOAD_CORE, persistent=True) as store, \
                servers.Viewcountd(self.programs, folder / "data", store, flush_interval, *flags) as service:
            yield service
            verify(service)


def terms(service, flushed_at_end=False):
    """What an answer of the service means."""
    also = " and at each turn's end" if flushed_at_end else ""
    return f"flush {service.flush_interval}{also}, journaled; Redis: {service.store.durability}"


def verify(service):
    """Raises unless the store holds exactly the views that the service counted."""
    service.flush()
    counted, stored = int(service.metrics()["viewcount_views_counted_total"]), service.stored_views()
    if counted != stored:
        raise RuntimeError(f"the service counted {counted} views, and the store has {stored}")
