"""A proxy that breaks connections, between a client and a server on loopback."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager, suppress

LOSES_REPLY, STALLS, CUTS, FAILS, PASSES = "loses reply", "stalls", "cuts", "503", ""


class Proxy:
    """
    Passes requests on, unless one of those that `breaks` chooses comes.

    What it returns is a way to break it, or the bytes of an answer.

    `requests` has the first line of each.
    """

    def __init__(self, server_port):
        self.requests = []
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
        address = ("127.0.0.1", self._server_port)
        with suppress(OSError, ValueError), client:
            while data := _message(client):
                request = data.split(b"\r\n", 1)[0].decode()
                self.requests.append(request)
                how = self.breaks(request)
                if how == STALLS:
                    client.recv(1)  # until the client gives up
                    return
                if how == FAILS:
                    client.sendall(
                        b"HTTP/1.1 503 Slow Down\r\nContent-Length: 0\r\n\r\n"
                    )
                    continue
                if isinstance(how, bytes):
                    client.sendall(how)
                    continue
                with socket.create_connection(address) as server:
                    server.sendall(
                        data.replace(b"\r\n", b"\r\nConnection: close\r\n", 1)
                    )
                    reply = b"".join(iter(lambda: server.recv(1 << 16), b""))
                if how == LOSES_REPLY:
                    return
                if how == CUTS:
                    client.sendall(reply[: len(reply) - 10])
                    return
                client.sendall(reply)
                return


def _message(client):
    """Return a request with its body."""
    data = b""
    while b"\r\n\r\n" not in data:
        part = client.recv(1 << 16)
        if not part:
            return b""
        data += part
    head, _, body = data.partition(b"\r\n\r\n")
    lines = head.lower().split(b"\r\n")
    sizes = [line[16:] for line in lines if line.startswith(b"content-length: ")]
    size = int(sizes[0]) if sizes else 0
    while len(body) < size:
        part = client.recv(1 << 20)
        if not part:
            return b""
        body += part
    return head + b"\r\n\r\n" + body


@contextmanager
def before(server):
    """Return a proxy before a server."""
    proxy = Proxy(server.port)
    try:
        yield proxy
    finally:
        proxy.close()
