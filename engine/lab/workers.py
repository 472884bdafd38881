"""Calls of one function, spread over processes. When a process dies, only the call that it was doing is repeated.

`concurrent.futures` breaks off a whole pool, with all results, when one of its processes is killed. Here a thread
serves each worker: it gives it one call at a time, and when the process ends instead of answering, the call goes to the
end of the queue, up to `TRIES` times in all. Where no process can be started, or each dies before it is ready, the
remaining calls are done in this process.

A worker ends when its input ends, so none outlives the process that started it, however that ends.
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
LOOK_S = 0.1
"""Wall seconds between two checks whether a user has interrupted."""
OUT_OF_MEMORY = 137
"""The exit code of a worker without memory: the one that shells give for a process that the system has killed."""
HEAD = struct.Struct("<Q")
_STOPPED = object()


class WorkerDied(SwarmError):
    """A process ended instead of answering."""


class Worker:
    """A process that does calls, one after the other. Raises OSError where none can be started."""

    def __init__(self) -> None:
        self.process: subprocess.Popen[bytes] = start_module("lab.workers")
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self._out, self._in = self.process.stdin, self.process.stdout

    def get_ready(self) -> None:
        """Wait until it is. Raises WorkerDied."""
        self._receive()

    def call(self, function: Callable[..., Any], *args: Any) -> Any:
        """Call the function there and return its result. Raises what it raises, and WorkerDied."""
        try:
            _send(self._out, (function, args))
        except (OSError, ValueError):
            raise self._died() from None
        done, value = self._receive()
        if done:
            return value
        raise value

    def close(self) -> None:
        """End it, whatever it is doing."""
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
            self._out.close()  # It ends by itself then, if it has not yet.
        code = self.process.wait()
        if code == OUT_OF_MEMORY:
            return WorkerDied("its process ran out of memory")
        if code >= 0:
            return WorkerDied(f"its process ended with exit code {code}")
        with contextlib.suppress(ValueError):
            return WorkerDied(f"its process was ended by {signal.Signals(-code).name}")
        return WorkerDied(f"its process was ended by signal {-code}")


def alone(function: Callable[..., Any], *args: Any) -> Any:
    """Call a function in a fresh process and return its result. Raises what it raises, WorkerDied, and OSError."""
    worker = Worker()
    try:
        worker.get_ready()
        return worker.call(function, *args)
    finally:
        worker.close()


def spread(
    function: Callable[..., Any], calls: Sequence[tuple[Any, ...]], workers: int, look: Callable[[], None]
) -> Generator[tuple[int, Any], None, None]:
    """The number of each call with its result, as they are done: a value, or the Exception that was raised.

    `look` is called several times a second; what it raises ends all.
    """
    todo, tries = deque(range(len(calls))), Counter[int]()
    done: SimpleQueue[Any] = SimpleQueue()
    alive: set[Worker] = set()
    stop = SimpleNamespace(wanted=False)

    def fresh() -> Worker | None:
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
                put_away(worker)
        return None

    def put_away(worker: Worker | None) -> None:
        if worker is not None:
            alive.discard(worker)
            worker.close()

    def serve() -> None:
        worker: Worker | None = None
        try:
            while not stop.wanted and (worker := worker or fresh()) is not None:
                try:
                    number = todo.popleft()
                except IndexError:
                    return
                try:
                    done.put((number, worker.call(function, *calls[number])))
                except WorkerDied as error:
                    put_away(worker)
                    worker = None
                    tries[number] += 1
                    if tries[number] < TRIES:
                        todo.append(number)
                    else:
                        done.put((number, WorkerDied(f"{error}, {TRIES} times")))
                except Exception as error:
                    done.put((number, error))
        finally:
            put_away(worker)
            done.put(_STOPPED)

    threads = ThreadPoolExecutor(workers)
    try:
        for _ in range(workers):
            threads.submit(serve)
        serving = workers
        while serving:
            look()
            try:
                what = done.get(timeout=LOOK_S)
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
            look()
    finally:
        stop.wanted = True
        for worker in list(alive):
            worker.process.kill()
        threads.shutdown(wait=True)


def main() -> None:
    """The worker process: do calls until the input ends."""
    # An interrupt is handled by the process that started this one, which ends this one too.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    out = os.fdopen(os.dup(sys.stdout.fileno()), "wb", buffering=0)
    with open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), sys.stdout.fileno())
    calls: SimpleQueue[Any] = SimpleQueue()
    # In a thread, so that the end of the input also ends a long call.
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
    view = memoryview(HEAD.pack(len(data)) + data)
    while view:
        view = view[out.write(view) :]


def _receive(source: Any) -> Any:
    (size,) = HEAD.unpack(_exactly(source, HEAD.size))
    return pickle.loads(_exactly(source, size))


def _exactly(source: Any, size: int) -> bytes:
    data = bytearray()
    while len(data) < size:
        more = source.read(size - len(data))
        if not more:
            raise EOFError
        data += more
    return bytes(data)
