"""A proxy that breaks connections, between a client and a server on loopback."""

from __future__ import annotations

import re
import socket
import struct
import threading
import time
from contextlib import contextmanager, suppress

LOSES_REPLY, STALLS, CUTS, FAILS, PASSES = "loses reply", "stalls", "cuts", "503", ""
REFUSES, CUTS_REQUEST, SLOWS = "refuses", "cuts the request", "slows"
# The second tells a failure although the server has done what it was asked.
ERRS, ERRS_AFTER = "500", "500 after all"
_ANSWERS = {FAILS: "503 Slow Down", ERRS: "500 Internal Server Error"}
_ANSWERS[ERRS_AFTER] = _ANSWERS[ERRS]


class Proxy:
    """
    Passes requests on, unless one of those that `breaks` chooses comes.

    What it returns is a way to break it, or the bytes of an answer.

    `requests` has the first line of each, `received` counts the bytes of the answers.
    """

    def __init__(self, server_port):
        self.requests = []
        self.received = 0
        self.breaks = lambda request: PASSES
        self._server_port = server_port
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def options(self, server, **further):
        return {**server.options, "endpoint": f"http://127.0.0.1:{self.port}"} | further

    def close(self):
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def _accept(self):
        with suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                threading.Thread(
                    target=self._serve, args=(client,), daemon=True
                ).start()

    def _serve(self, client):
        with suppress(OSError, ValueError), client:
            while data := _message(client):
                request = data.split(b"\r\n", 1)[0].decode()
                self.requests.append(request)
                how = self.breaks(request)
                if how == STALLS:
                    client.recv(1)  # until the client gives up
                    return
                if how == REFUSES:
                    # Closed at once, with a reset in place of an answer.
                    reset = struct.pack("ii", 1, 0)
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset)
                    return
                if isinstance(how, bytes):
                    client.sendall(how)
                    continue
                if how in (FAILS, ERRS):
                    client.sendall(_answer(how))
                    continue
                sent = len(data) // 2 if how == CUTS_REQUEST else len(data)
                reply = self._ask(data[:sent])
                if how in (LOSES_REPLY, CUTS_REQUEST):
                    return
                if how == ERRS_AFTER:
                    client.sendall(_answer(how))
                    continue
                self.received += len(reply)
                if how == CUTS:
                    client.sendall(reply[: len(reply) - 10])
                    return
                if how == SLOWS:
                    middle = len(reply) // 2
                    client.sendall(reply[:middle])
                    time.sleep(0.1)
                    reply = reply[middle:]
                client.sendall(reply)
                return

    def _ask(self, data):
        """Return the server's reply to a request."""
        address = ("127.0.0.1", self._server_port)
        with socket.create_connection(address) as server:
            server.sendall(data.replace(b"\r\n", b"\r\nConnection: close\r\n", 1))
            # A request that was cut is never answered.
            if len(data) < _length(data):
                server.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: server.recv(1 << 16), b""))


class GoogleProxy(Proxy):
    """
    A server of S3 as one of Google's XML API, which has other names for headers.

    What they mean is the same, and so are the addresses and the listings.
    """

    def _ask(self, data):
        asked = _renamed(
            data,
            (rb"x-goog-if-generation-match: 0", b"If-None-Match: *"),
            (rb"x-goog-meta-", b"x-amz-meta-"),
        )
        return _renamed(super()._ask(asked), (rb"x-amz-meta-", b"x-goog-meta-"))


def _renamed(message, *pairs):
    head, end, body = message.partition(b"\r\n\r\n")
    for old, new in pairs:
        head = re.sub(rb"(?i)(?<=\n)" + old, new, head)
    return head + end + body


def _answer(how):
    return f"HTTP/1.1 {_ANSWERS[how]}\r\nContent-Length: 0\r\n\r\n".encode()


def _message(client):
    """Return a request with its body."""
    data = b""
    while b"\r\n\r\n" not in data:
        part = client.recv(1 << 16)
        if not part:
            return b""
        data += part
    size, parts = _length(data), [data]
    missing = size - len(data)
    while missing > 0:
        part = client.recv(1 << 20)
        if not part:
            return b""
        parts.append(part)
        missing -= len(part)
    return b"".join(parts)


def _length(data):
    """Return how long a request is that begins with these bytes."""
    head, end, _ = data.partition(b"\r\n\r\n")
    lines = head.lower().split(b"\r\n")
    sizes = [line[16:] for line in lines if line.startswith(b"content-length: ")]
    return len(head + end) + int(sizes[0] if sizes else 0)


@contextmanager
def before(server, kind=Proxy):
    """Return a proxy before a server."""
    proxy = kind(server.port)
    try:
        yield proxy
    finally:
        proxy.close()
