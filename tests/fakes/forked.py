"""The near side of a program that `forking` starts: what a test starts in Python's place, as a process like any other.

It hands over arguments, folder, environment, umask and standard streams, passes signals on, and ends as the program
ends. It is to be started in no time, so it imports nothing of the project.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
from contextlib import suppress
from types import FrameType

PASSED = (signal.SIGINT, signal.SIGTERM)


def main(door: str, module: str, *arguments: str) -> int:
    """Have `module` run with `arguments` by the program that listens at `door`; gives its exit status."""
    signal.pthread_sigmask(signal.SIG_BLOCK, PASSED)
    mask = os.umask(0)
    os.umask(mask)
    with socket.socket(socket.AF_UNIX) as line:
        line.connect(door)
        order = {
            "module": module,
            "arguments": arguments,
            "umask": mask,
            "folder": os.getcwd(),  # noqa: PTH109 - pathlib takes a while to import
            "environment": dict(os.environ),
        }
        told = json.dumps(order).encode()
        socket.send_fds(line, [len(told).to_bytes(8, "big")], [0, 1, 2])
        line.sendall(told)
        answers = line.makefile("rb")
        pid = int(answers.readline())

        def pass_on(number: int, _: FrameType | None) -> None:
            with suppress(ProcessLookupError):
                os.kill(pid, number)

        for each in PASSED:
            signal.signal(each, pass_on)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, PASSED)
        status = int(answers.readline())
    if status < 0:
        signal.signal(-status, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    return status


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
