"""Interrupts (ctrl+c) during the start and the end of the program: it ends at once, with code 130 and no message.

Python itself would show a traceback of its imports, and NumPy reports an interrupt of its own import as a broken
installation, with a long text.

Imported before the import path is closed: only what Python has in memory from its start is imported here.
"""

import os
from _signal import SIGINT, default_int_handler, getsignal, signal  # type: ignore[import-not-found]

INTERRUPTED = 130


def end_at_once() -> bool:
    """Let an interrupt end the program from now on. False if something else has decided what it does."""
    if getsignal(SIGINT) is not default_int_handler:
        return False
    try:
        signal(SIGINT, _end)
    except ValueError:  # only the main thread may
        return False
    return True


def raise_again() -> None:
    """Let an interrupt raise KeyboardInterrupt again, if `end_at_once` changed that."""
    if getsignal(SIGINT) is _end:
        signal(SIGINT, default_int_handler)


def _end(_number: int, _frame: object) -> None:
    os._exit(INTERRUPTED)
