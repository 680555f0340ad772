"""Processes forked from the tests: warm at once, so that a thousand of them can be killed."""

import os
import signal
import sys
import traceback
from collections.abc import Callable
from typing import Any

import pyarrow as pa

__all__ = ["ended", "forked"]


def forked(work: Callable[[], Any]) -> int:
    """Run work in a child; 0 is its exit code where nothing was raised. Return its number.

    The threads of Arrow do not live on in a child: it works with none.
    """
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        pa.set_cpu_count(1)
        work()
        code = 0
    except BaseException:
        traceback.print_exc(file=sys.__stderr__)
    finally:
        os._exit(code)


def ended(child: int, *, kill: bool = True) -> int:
    """Wait for a child, killed first if asked; its exit code, or minus the signal."""
    if kill:
        os.kill(child, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
