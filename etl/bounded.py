"""Work on a stranger's file in a process of its own, with limits on time and memory: what it does to us ends there."""

import multiprocessing
import os
import resource
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from typing import Any


class Exceeded(Exception):
    """The work was stopped at its limit of time or memory, or its process died."""


class Broke(Exception):
    """The work raised: the file is damaged. What it raised is not told, since it may hold names."""


def run_bounded(
    function: Callable[..., Any], arguments: Sequence[object], *, seconds: int, memory_bytes: int, preload: str
) -> Any:
    """What `function` returns in a child with these limits. Raises Exceeded or Broke.

    The child is forked from a server that holds neither keys nor open databases and has the module `preload` loaded.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([preload])
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(target=work, args=(sender, function, arguments, seconds, memory_bytes), daemon=True)
    child.start()
    sender.close()
    try:
        if not receiver.poll(seconds):
            raise Exceeded
        outcome, result = receiver.recv()
    except (EOFError, OSError):  # the child died: memory, or worse
        raise Exceeded from None
    finally:
        child.kill()
        child.join()
        receiver.close()
    if outcome == "done":
        return result
    raise Exceeded if outcome == "memory" else Broke


def work(
    sender: Connection, function: Callable[..., Any], arguments: Sequence[object], seconds: int, memory_bytes: int
) -> None:
    """What the child does: bound itself, fall silent, work, send one answer."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):  # a traceback or a parser's last words could hold what stands in the cells
        os.dup2(nowhere, stream)
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core dump would hold what must not leave memory
    try:
        answer = ("done", function(*arguments))
    except MemoryError:
        answer = ("memory", None)
    except BaseException:  # noqa: BLE001 - parsers panic past Exception
        answer = ("broke", None)
    sender.send(answer)
