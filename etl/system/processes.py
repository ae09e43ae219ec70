"""Child processes: where they are forked from, how many run at once, and how they end when their parent does."""

import contextlib
import multiprocessing
import multiprocessing.connection
import multiprocessing.context
import os
import signal
import threading
from collections.abc import Iterator

#: Modules that the fork server imports for the processes that read untrusted files. This process does not import them.
PRELOADED: tuple[str, ...] = ("etl.read.worker",)


def forks() -> multiprocessing.context.ForkServerContext:
    """The context that starts our child processes: it forks them from a server without keys or open databases.

    The server imports `PRELOADED` once. There is one server per run, so the first call fixes what it preloads.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(PRELOADED))
    return context


def workers() -> int:
    """How many tasks to run in parallel: one per processor that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def end_with_parent() -> None:
    """Called in a child process: exit as soon as the parent has ended, even if it was killed.

    Children hold passwords and names, so they must not outlive the command that started them.
    """
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
    """Within this context SIGTERM raises KeyboardInterrupt, as Ctrl-C does, so that child processes are cleaned up.

    Outside the main thread it does nothing, because Python sets signal handlers only there.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
