"""Objects of S3, Azure and Google Cloud Storage, by the library `obstore`."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any

from checkpoints._process.forks import after_fork_in_child
from checkpoints._process.libraries import imported
from checkpoints.errors import ConfigError, MissingDependencyError
from checkpoints.storage._bucket import Blob, Bucket, Options, UncertainError
from checkpoints.storage._courier import CourierBucket
from checkpoints.storage._objects import split_url
from checkpoints.storage._store import Buffer
from checkpoints.storage._words import Words

__all__ = ["ObstoreBucket", "open_bucket"]

# Names of classes in `obstore.store`, by scheme.
_STORES = {"s3": "S3Store", "gs": "GCSStore", "az": "AzureStore"}
_MARK = "checkpointswrite"
_PANIC = "PanicException"
# A request may take so many seconds, and one more for each of so many bytes; it is
# repeated for at most as long.
_SECONDS, _BYTES_A_SECOND = 30, 1 << 20
_CONNECT = "5s"
_RETRIES = 5
# Below it one request writes an object; from there on several at a time, if it may
# replace another one. The limit is that of boto3 and of the AWS command line.
_LARGE = 8 << 20
_PAGE = 1000

# obstore hangs in a child of a process that has used it.
_is_forked_after_use = [False]


def _note_fork() -> None:
    _is_forked_after_use[0] |= "obstore" in sys.modules


after_fork_in_child(_note_fork)


def open_bucket(root: str, options: Options) -> Bucket:
    """Open a root; where obstore would hang, by a process of its own."""
    if _is_forked_after_use[0]:
        return CourierBucket(root, options)
    return ObstoreBucket(root, options)


class ObstoreBucket:
    """
    The objects below a URL, by obstore.

    Args:
        root: The URL, such as `s3://bucket/folder`.
        options: Options of obstore's class for the store, `client_options` and
            `retry_config` among them.
    """

    def __init__(self, root: str, options: Options) -> None:
        self._root = root
        self._scheme, self._name, below = split_url(root)
        self._start = f"{below}/" if below else ""
        self._options = _with_defaults(self._scheme, options)
        endpoint = _endpoint_of(self._options) if self._scheme == "s3" else ""
        if endpoint and not endpoint.lower().startswith(("http://", "https://")):
            # Not shown, as it may be a secret that was put in the wrong place.
            raise ConfigError(
                f"cannot open {root}: its endpoint has to begin with https:// or http://"
            )
        self._obstore = imported("obstore")
        self._words = Words(root, self._name, options)
        self._clients: dict[int, Any] = {}
        # Of the services themselves it is known that they keep to it.
        self.may_ignore_conditions = bool(endpoint)

    def _client(self, size: int = 0) -> Any:
        """Return a client whose limit fits the size of what is transferred."""
        doublings = (size // (_SECONDS * _BYTES_A_SECOND)).bit_length()
        if doublings not in self._clients:
            self._clients[doublings] = self._made(_SECONDS << doublings)
        return self._clients[doublings]

    def _made(self, seconds: int) -> Any:
        options = dict(self._options)
        client = {"connect_timeout": _CONNECT, "timeout": f"{seconds}s"}
        client |= options.pop("client_options", {})
        retries = {
            "max_retries": _RETRIES,
            "retry_timeout": timedelta(seconds=seconds),
            "backoff": {
                "init_backoff": timedelta(milliseconds=100),
                "max_backoff": timedelta(seconds=5),
                "base": 2,
            },
            **options.pop("retry_config", {}),
        }
        kind = getattr(imported("obstore.store"), _STORES[self._scheme])
        made: Callable[..., Any] = kind
        why = ""
        try:
            return made(
                self._name, client_options=client, retry_config=retries, **options
            )
        except Exception as error:  # noqa: BLE001 - of its own classes
            why = self._words.plain(error)
        raise ConfigError(
            f"cannot open {self._root}: {why}. The names in store_options are those of "
            f"obstore.store.{_STORES[self._scheme]}"
        )

    def _call(self, key: str, name: str, *args: Any, size: int = 0, **how: Any) -> Any:
        """Call a function of obstore; raise what it raises as an `OSError`."""
        failed: OSError
        try:
            return getattr(self._obstore, name)(
                self._client(size), self._start + key, *args, **how
            )
        except ConfigError:
            raise
        except BaseException as error:
            # What its own code did not foresee is no `Exception`.
            if not isinstance(error, Exception) and type(error).__name__ != _PANIC:
                raise
            failed = self._words.told(error, key)
        # Out here, so that it has no context: that may hold signed addresses.
        raise failed

    def write(
        self, key: str, data: Sequence[Buffer], mark: str, *, creates: bool
    ) -> None:
        """Write an object by one request; large ones that may replace by several."""
        size = sum(map(len, data))
        is_in_parts = not creates and size >= _LARGE
        try:
            self._call(
                key,
                "put",
                data[0] if len(data) == 1 else iter(data),
                size=size,
                attributes={_MARK: mark} if mark else {},
                mode="create" if creates else "overwrite",
                use_multipart=is_in_parts,
            )
        except FileNotFoundError as error:
            if not is_in_parts or error.errno != errno.ENOENT:
                raise
            # If the last reply was lost, the parts are one object by now.
            what = "The server no longer has the parts that it was sent"
            raise UncertainError(errno.EIO, what, key) from None

    def mark_of(self, key: str) -> str | None:
        """Return the mark of an object, "" if it has none; None without an object."""
        try:
            found = self._call(key, "get", options={"head": True})
        except FileNotFoundError:
            return None
        return str(found.attributes.get(_MARK, ""))

    def find(self, key: str) -> Blob | None:
        """Return an object; None if there is none."""
        try:
            return self._blob(self._call(key, "head"))
        except FileNotFoundError:
            return None

    def _blob(self, meta: Any) -> Blob:
        # Listings tell fractions of a second, and answers for one object do not.
        seconds = int(meta["last_modified"].timestamp())
        key = meta["path"].removeprefix(self._start)
        return Blob(key, meta["size"], seconds * 10**9, meta["e_tag"] or "")

    def end_of(self, key: str, size: int) -> tuple[Blob, bytes]:
        """Return an object and its last bytes."""
        if self._scheme != "az":  # which cannot count from the end
            try:
                found = self._call(key, "get", options={"range": {"suffix": size}})
                return self._blob(found.meta), self._bytes(key, found)
            except FileNotFoundError:
                raise
            except OSError as error:
                # An empty object has no last bytes.
                if isinstance(error, (PermissionError, TimeoutError)):
                    raise
        blob = self._blob(self._call(key, "head"))
        start = max(0, blob.size - size)
        return blob, self.read(blob, start, blob.size - start) if blob.size else b""

    def read(self, blob: Blob, start: int, size: int) -> bytes:
        """Return bytes of an object, unless it was replaced since it was found."""
        how: dict[str, Any] = {"range": (start, start + size)}
        if blob.tag:
            how["if_match"] = blob.tag
        found = self._call(blob.key, "get", size=size, options=how)
        return self._bytes(blob.key, found)

    def _bytes(self, key: str, found: Any) -> bytes:
        failed: OSError
        try:
            return found.bytes().to_bytes()  # type: ignore[no-any-return]
        except Exception as error:  # noqa: BLE001 - as above
            failed = self._words.told(error, key)
        raise failed

    def list(self, prefix: str, *, only_first: bool = False) -> Iterator[Blob]:
        """Yield the objects below a prefix; at most a page of them."""
        pages = iter(self._call(prefix, "list", chunk_size=1 if only_first else _PAGE))
        while page := self._next(pages):
            yield from map(self._blob, page)
            if only_first:
                return

    def _next(self, pages: Iterator[Any]) -> Any:
        failed: OSError
        try:
            return next(pages, ())
        except Exception as error:  # noqa: BLE001 - as above
            failed = self._words.told(error, "")
        raise failed

    def level(self, prefix: str) -> tuple[Sequence[str], Sequence[Blob]]:
        """Return the folders directly below a prefix, and the objects there."""
        found = self._call(prefix, "list_with_delimiter")
        start = self._start + prefix
        folders = (
            it.removeprefix(start).rstrip("/") for it in found["common_prefixes"]
        )
        return [*folders], [*map(self._blob, found["objects"])]

    def delete(self, key: str) -> None:
        """Delete an object; no error if there is none."""
        with suppress(FileNotFoundError):
            self._call(key, "delete")


def _endpoint_of(options: Options) -> str:
    names = ("endpoint", "endpoint_url", "aws_endpoint", "aws_endpoint_url")
    given = [str(value) for name, value in options.items() if name.lower() in names]
    variables = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT")
    return next(iter([*given, *filter(None, map(os.environ.get, variables))]), "")


def _with_defaults(scheme: str, options: Options) -> dict[str, Any]:
    """Return the options with what people of that ecosystem take for granted."""
    found = dict(options)
    if scheme != "s3":
        return found
    endpoint = _endpoint_of(options)
    if endpoint and not any("endpoint" in name.lower() for name in options):
        found["endpoint"] = endpoint
    if endpoint.startswith("http://"):
        # Who writes this means it.
        found["client_options"] = {
            "allow_http": True,
            **found.get("client_options", {}),
        }
    provider = None if _has_keys(options) else _profile()
    if provider is not None:
        found["credential_provider"] = provider
    return found


def _has_keys(options: Options) -> bool:
    names = ["access_key_id", "aws_access_key_id", "credential_provider"]
    names += ["skip_signature", "aws_skip_signature"]
    given = any(options.get(name) for name in names)
    return given or bool(os.environ.get("AWS_ACCESS_KEY_ID"))


def _profile() -> Any:
    """Return the credentials of a profile of AWS, which obstore does not read."""
    files = {
        "AWS_SHARED_CREDENTIALS_FILE": "~/.aws/credentials",
        "AWS_CONFIG_FILE": "~/.aws/config",
    }
    paths = [os.environ.get(name) or path for name, path in files.items()]
    name = os.environ.get("AWS_PROFILE")
    if not name and not any(os.path.exists(os.path.expanduser(it)) for it in paths):
        return None
    try:
        return imported("obstore.auth.boto3").Boto3CredentialProvider()
    except ImportError as error:
        if name:
            raise MissingDependencyError(
                f"the profile {name!r} of AWS needs boto3: pip install boto3"
            ) from error
    except Exception as error:
        # There is such a file, but it has no credentials.
        if name:
            raise ConfigError(
                f"the profile {name!r} of AWS cannot be used: {type(error).__name__}; "
                "sign in again, or correct AWS_PROFILE"
            ) from error
    return None
