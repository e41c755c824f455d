"""The families of rows in the order of their measurement. Each module's run(context) returns its rows."""

from rows import batches, beacons, calls, counts, curve, flush, history, idle, million, overload

FAMILIES = {module.__name__.rpartition(".")[2]: module.run
            for module in (batches, calls, beacons, counts, million, history, flush, curve, idle, overload)}
