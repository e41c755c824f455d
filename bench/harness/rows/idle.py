"""A service that receives no requests."""

import time

import context as contexts
import load
import machine
import report

SECONDS = 10


def run(context):
    with context.service("idle", flush_interval="1s") as service:
        # The service has received views before, like any idle service.
        load.viewcount_load(context, "batches", service.address("grpc"), seconds=0.5, warmup=0)
        service.flush()
        time.sleep(1)
        before = machine.cpu_seconds_of_threads(service.pid)
        time.sleep(SECONDS)
        share = (machine.cpu_seconds_of_threads(service.pid) - before) / SECONDS * 100
    context.progress(f"idle: {share:.2f} % of a core")
    return [report.Row("CPU of an idle service", share, "% of a core", contexts.terms(service),
                       target=report.at_most(1), notes=[f"over {SECONDS} s, without its Redis"])]
