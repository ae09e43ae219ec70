"""Other processes: how many, what they are given, what they died of, and that they end in order."""

import contextlib
import multiprocessing
import multiprocessing.connection
import multiprocessing.context
import os
import signal
import threading
from collections.abc import Iterator

#: What the processes that open strangers' files work with; named here, loaded there. They hold nothing else.
PRELOADED: tuple[str, ...] = ("etl.read.worker",)


def forks() -> multiprocessing.context.ForkServerContext:
    """Where processes of our own are forked from: a server that holds neither keys nor open databases.

    What they need is loaded there once. It is one server for the whole run, so the first that asks decides for all.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(PRELOADED))
    return context


def workers() -> int:
    """How many things are done at once: one per processor that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def end_with_parent() -> None:
    """In a child: end as soon as the parent is gone, however it went. Children hold passwords and names."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return
    sentinel = parent.sentinel

    def watch() -> None:
        multiprocessing.connection.wait([sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


@contextlib.contextmanager
def terminated_as_interrupted() -> Iterator[None]:
    """While inside, SIGTERM ends the work as Ctrl-C does, so that the other process is not left behind."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
