"""Let no process of these tests reach beyond this machine: Python reads this at its start."""

from __future__ import annotations

import sys

LOCAL = {"127.0.0.1", "::1", "localhost", "0.0.0.0", "", None}


def _stay(event: str, args: tuple[object, ...]) -> None:
    host: object = None
    if event == "socket.connect":
        address = args[1]
        host = address[0] if isinstance(address, tuple) else None  # else a socket of this machine
    elif event == "socket.getaddrinfo":
        host = args[0]
    if isinstance(host, bytes):
        host = host.decode(errors="replace")
    if host not in LOCAL:
        raise OSError(f"tests run offline: {host} is not this machine")


sys.addaudithook(_stay)
