"""Calls of one function, spread over processes. When a process dies, only the call that it was running is repeated.

`concurrent.futures` ends a whole pool and loses all results when one of its processes is killed. Here each worker
process has a thread, which sends it one call at a time. If the process ends before it has returned a result, the call
goes to the end of the queue, up to `TRIES` times in all. If no process can be started, or each dies before it is ready,
the remaining calls are run in this process.

A worker ends when its input ends, so it ends with the process that started it in any case.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import struct
import subprocess
import sys
from collections import Counter, deque
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from queue import Empty, SimpleQueue
from types import SimpleNamespace
from typing import Any, BinaryIO

from ..child import start_module
from ..errors import SwarmError

TRIES = 3
CHECK_S = 0.1
"""Wall seconds between two calls of `check` in `spread`."""
OUT_OF_MEMORY = 137
"""Exit code of a worker that could not allocate memory: the same as a shell shows for a process that was killed."""
HEADER = struct.Struct("<Q")
_STOPPED = object()


class WorkerDied(SwarmError):
    """A worker process ended before it returned a result."""


class Worker:
    """A process that runs calls, one after the other. Raises OSError if it cannot be started."""

    def __init__(self) -> None:
        self.process: subprocess.Popen[bytes] = start_module("lab.workers")
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self._out, self._in = self.process.stdin, self.process.stdout

    def get_ready(self) -> None:
        """Wait until the process accepts calls. Raises WorkerDied."""
        self._receive()

    def call(self, function: Callable[..., Any], *args: Any) -> Any:
        """Call a function in the process and return its result. Raises what the function raises, and WorkerDied."""
        try:
            _send(self._out, (function, args))
        except (OSError, ValueError):
            raise self._died() from None
        done, value = self._receive()
        if done:
            return value
        raise value

    def close(self) -> None:
        """Kill the process."""
        self.process.kill()
        self.process.wait()
        for pipe in (self._out, self._in):
            with contextlib.suppress(OSError):
                pipe.close()

    def _receive(self) -> Any:
        try:
            return _receive(self._in)
        except (OSError, EOFError, ValueError, pickle.UnpicklingError):
            raise self._died() from None

    def _died(self) -> WorkerDied:
        with contextlib.suppress(OSError):
            self._out.close()  # A process that still runs ends when its input ends.
        code = self.process.wait()
        if code == OUT_OF_MEMORY:
            return WorkerDied("its process ran out of memory")
        if code >= 0:
            return WorkerDied(f"its process ended with exit code {code}")
        with contextlib.suppress(ValueError):
            return WorkerDied(f"its process was ended by {signal.Signals(-code).name}")
        return WorkerDied(f"its process was ended by signal {-code}")


def alone(function: Callable[..., Any], *args: Any) -> Any:
    """Call a function in a new process and return its result. Raises what it raises, WorkerDied, and OSError if no
    process can be started."""
    worker = Worker()
    try:
        worker.get_ready()
        return worker.call(function, *args)
    finally:
        worker.close()


def spread(
    function: Callable[..., Any], calls: Sequence[tuple[Any, ...]], workers: int, check: Callable[[], None]
) -> Generator[tuple[int, Any], None, None]:
    """Run `function` with each of `calls` in `workers` processes.

    Yields (index of the call, its result or the Exception that it raised), in the order in which they finish. `check`
    is called several times a second in this thread; an exception that it raises ends all calls.
    """
    todo, tries = deque(range(len(calls))), Counter[int]()
    done: SimpleQueue[Any] = SimpleQueue()
    alive: set[Worker] = set()
    stop = SimpleNamespace(wanted=False)

    def started() -> Worker | None:
        for _ in range(TRIES):
            if stop.wanted:
                return None
            try:
                worker = Worker()
            except OSError:
                return None
            alive.add(worker)
            try:
                if stop.wanted:
                    worker.process.kill()
                worker.get_ready()
                return worker
            except WorkerDied:
                discard(worker)
        return None

    def discard(worker: Worker | None) -> None:
        if worker is not None:
            alive.discard(worker)
            worker.close()

    def serve() -> None:
        worker: Worker | None = None
        try:
            while not stop.wanted and (worker := worker or started()) is not None:
                try:
                    number = todo.popleft()
                except IndexError:
                    return
                try:
                    done.put((number, worker.call(function, *calls[number])))
                except WorkerDied as error:
                    discard(worker)
                    worker = None
                    tries[number] += 1
                    if tries[number] < TRIES:
                        todo.append(number)
                    else:
                        done.put((number, WorkerDied(f"{error}, {TRIES} times")))
                except Exception as error:
                    done.put((number, error))
        finally:
            discard(worker)
            done.put(_STOPPED)

    threads = ThreadPoolExecutor(workers)
    try:
        for _ in range(workers):
            threads.submit(serve)
        serving = workers
        while serving:
            check()
            try:
                what = done.get(timeout=CHECK_S)
            except Empty:
                continue
            if what is _STOPPED:
                serving -= 1
            else:
                yield what
        while todo:
            number = todo.popleft()
            try:
                value = function(*calls[number])
            except Exception as error:
                value = error
            yield number, value
            check()
    finally:
        stop.wanted = True
        for worker in list(alive):
            worker.process.kill()
        threads.shutdown(wait=True)


def main() -> None:
    """The worker process: run calls until the input ends."""
    # The process that started this one handles interrupts, and ends this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    out = os.fdopen(os.dup(sys.stdout.fileno()), "wb", buffering=0)
    with open(os.devnull, "wb") as null:
        os.dup2(null.fileno(), sys.stdout.fileno())
    calls: SimpleQueue[Any] = SimpleQueue()
    # Read in a thread, so that the end of the input also ends a long call.
    ThreadPoolExecutor(1).submit(_read_calls, sys.stdin.buffer, calls)
    _send(out, "ready")
    while True:
        function, args = calls.get()
        try:
            answer: Any = (True, function(*args))
        except MemoryError:
            os._exit(OUT_OF_MEMORY)
        except Exception as error:
            answer = (False, error)
        try:
            pickle.loads(pickle.dumps(answer, 5))
        except Exception:
            answer = (False, SwarmError(f"{type(answer[1]).__name__}: {answer[1]}"))
        _send(out, answer)


def _read_calls(source: BinaryIO, calls: SimpleQueue[Any]) -> None:
    try:
        while True:
            calls.put(_receive(source))
    finally:
        os._exit(0)


def _send(out: Any, value: Any) -> None:
    data = pickle.dumps(value, 5)
    view = memoryview(HEADER.pack(len(data)) + data)
    while view:
        view = view[out.write(view) :]


def _receive(source: Any) -> Any:
    (size,) = HEADER.unpack(_exactly(source, HEADER.size))
    return pickle.loads(_exactly(source, size))


def _exactly(source: Any, size: int) -> bytes:
    data = bytearray()
    while len(data) < size:
        more = source.read(size - len(data))
        if not more:
            raise EOFError
        data += more
    return bytes(data)
