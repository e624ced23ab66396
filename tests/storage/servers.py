"""Servers of object stores, started on loopback, once for each session."""

from __future__ import annotations

import base64
import datetime
import hashlib
import hmac
import importlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from typing import NamedTuple

import pytest
from proxy import GoogleProxy, before

# Everybody knows these: Azurite's documentation has them.
ACCOUNT = "devstoreaccount1"
ACCOUNT_KEY = (
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr"
)
ACCOUNT_KEY += "/KBHBeksoGMGw=="
SECRET = "a-secret-that-nobody-may-see"
PATIENCE = 30


class Server(NamedTuple):
    """A server, a bucket in it, and the options to reach it."""

    url: str
    port: int
    options: dict[str, str]

    @property
    def environment(self):
        """The variables by which people would reach it."""
        if self.url.startswith("az"):
            return {
                "AZURE_STORAGE_ACCOUNT_NAME": ACCOUNT,
                "AZURE_STORAGE_ACCOUNT_KEY": ACCOUNT_KEY,
                "AZURE_STORAGE_USE_EMULATOR": "true",
                "AZURITE_BLOB_STORAGE_URL": f"http://127.0.0.1:{self.port}",
            }
        return {
            "AWS_ACCESS_KEY_ID": self.options["access_key_id"],
            "AWS_SECRET_ACCESS_KEY": self.options["secret_access_key"],
            "AWS_ENDPOINT_URL": self.options["endpoint"],
            "AWS_REGION": "us-east-1",
        }

    def boto3(self):
        """Return a client of boto3, which must be installed."""
        return importlib.import_module("boto3").client(
            "s3",
            aws_access_key_id=self.options["access_key_id"],
            aws_secret_access_key=self.options["secret_access_key"],
            endpoint_url=self.options["endpoint"],
            region_name="us-east-1",
        )


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


@contextmanager
def running(words, environment=()):
    """Start a program, and end it."""
    process = subprocess.Popen(
        words,
        env={**os.environ, **dict(environment)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@contextmanager
def started(words, port, environment=()):
    """Start a program that listens on a port, and end it."""
    with running(words, environment) as process:
        end = time.monotonic() + PATIENCE
        while True:
            with suppress(OSError):
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            if process.poll() is not None or time.monotonic() > end:
                pytest.skip(f"{words[0]} does not start here")
            time.sleep(0.05)
        yield


def needs(module):
    if find_spec(module) is None:
        pytest.skip(f"{module} is not installed")


def s3(port):
    """A bucket of a server of S3."""
    options = {
        "access_key_id": "key",
        "secret_access_key": SECRET,
        "endpoint": f"http://127.0.0.1:{port}",
    }
    now = datetime.datetime.now(datetime.UTC).strftime("%a, %d %b %Y %H:%M:%S GMT")
    text = f"PUT\n\n\n{now}\n/bucket"
    signed = hmac.new(SECRET.encode(), text.encode(), hashlib.sha1).digest()
    headers = {"Date": now}
    headers["Authorization"] = f"AWS key:{base64.b64encode(signed).decode()}"
    request = urllib.request.Request(
        f"{options['endpoint']}/bucket", method="PUT", headers=headers
    )
    with suppress(urllib.error.HTTPError):
        urllib.request.urlopen(request, timeout=10).close()
    return Server("s3://bucket", port, options)


@contextmanager
def ministack():
    needs("ministack")
    needs("obstore")
    port = free_port()
    variables = {
        "BIND_HOST": "127.0.0.1",  # else it listens to everybody
        "GATEWAY_PORT": str(port),
        "SERVICES": "s3",
    }
    with started([sys.executable, "-m", "ministack"], port, variables):
        yield s3(port)


@contextmanager
def moto():
    needs("moto")
    needs("obstore")
    port = free_port()
    words = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with started(words, port):
        yield s3(port)


@contextmanager
def rclone(folder):
    """A server that replaces objects even if it is asked not to."""
    needs("obstore")
    beside = os.path.join(os.path.dirname(sys.executable), "rclone")
    program = shutil.which("rclone") or (os.path.exists(beside) and beside)
    if not program:
        pytest.skip("rclone is not installed")
    port = free_port()
    (folder / "bucket").mkdir()
    words = [program, "serve", "s3", "--addr", f"127.0.0.1:{port}"]
    with started([*words, "--auth-key", f"key,{SECRET}", str(folder)], port):
        yield s3(port)


@contextmanager
def google(server):
    """
    A server of S3, asked as Google Cloud Storage is.

    No server for tests speaks Google's XML API, the one that obstore uses.
    """
    needs("obstore")
    with before(server, GoogleProxy) as proxy:
        key = {"gcs_base_url": f"http://127.0.0.1:{proxy.port}", "disable_oauth": True}
        key |= dict.fromkeys(("client_email", "private_key", "private_key_id"), "")
        options = {
            "service_account_key": json.dumps(key),
            "client_options": {"allow_http": True},
        }
        yield Server("gs://bucket", proxy.port, options)


@contextmanager
def azurite(folder):
    needs("obstore")
    program = shutil.which("azurite-blob")
    if not program:
        pytest.skip("azurite-blob is not installed: npm install -g azurite@3.34.0")
    port = free_port()
    words = [program, "--blobHost", "127.0.0.1", "--blobPort", str(port), "--silent"]
    words += ["--skipApiVersionCheck", "--disableTelemetry", "--location", str(folder)]
    with started(words, port):
        make_container(port, "container")
        options = {
            "account_name": ACCOUNT,
            "account_key": ACCOUNT_KEY,
            "endpoint": f"http://127.0.0.1:{port}/{ACCOUNT}",
            "client_options": {"allow_http": True},
        }
        yield Server("az://container", port, options)


def make_container(port, name):
    """Make a container, which obstore cannot."""
    now = datetime.datetime.now(datetime.UTC).strftime("%a, %d %b %Y %H:%M:%S GMT")
    version = "2023-11-03"
    headers = f"x-ms-date:{now}\nx-ms-version:{version}\n"
    resource = f"/{ACCOUNT}/{ACCOUNT}/{name}\nrestype:container"
    text = "PUT" + "\n" * 12
    text += headers + resource
    key = base64.b64decode(ACCOUNT_KEY)
    signed = base64.b64encode(hmac.new(key, text.encode(), hashlib.sha256).digest())
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/{ACCOUNT}/{name}?restype=container",
        method="PUT",
        headers={
            "x-ms-date": now,
            "x-ms-version": version,
            "Authorization": f"SharedKey {ACCOUNT}:{signed.decode()}",
            "Content-Length": "0",
        },
    )
    urllib.request.urlopen(request, timeout=10).close()
