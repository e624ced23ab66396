"""What obstore reports, in words for people, as the errors of files."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator, Mapping

from checkpoints.storage._bucket import Options, UncertainError, UnreachableError

__all__ = ["Words"]

_CODE = re.compile(r"<Code>(\w+)</Code>|\b(ContainerNotFound|AuthenticationFailed)\b")
_ODD_KEY = re.compile(r'\bpath: "((?:[^"\\]|\\.)*)"')
_AGAIN = re.compile(r"after [1-9]\d* retries")
_STATUS = re.compile(r"status code: (\d{3})")
# With these nothing can be done, where `EACCES` says that this may not be done.
_WRONG_CREDENTIALS = errno.EPERM
_NO_BUCKET = {"NoSuchBucket", "ContainerNotFound"}
_GUIDE = "give credentials as the how-to guide to object stores says"
_ADVICE = {
    "InvalidAccessKeyId": "The key id is not known; correct the credentials",
    "SignatureDoesNotMatch": "The secret key is wrong; correct the credentials",
    "AuthenticationFailed": "The key is wrong; correct the credentials",
    "ExpiredToken": "The credentials have expired; renew them",
    "RequestTimeTooSkewed": "The clock of this machine is off; set it",
    "AuthorizationHeaderMalformed": (
        "The region is wrong; set AWS_REGION, or region in store_options"
    ),
}
# Where credentials are asked for on machines of a cloud, if there are none elsewhere.
_METADATA = ("169.254.169.254", "metadata.google.internal")
# By obstore's class of error. It has no classes of its own for most of what happens.
_KINDS = {
    "FileNotFoundError": (FileNotFoundError, errno.ENOENT, ""),
    "NotFoundError": (FileNotFoundError, errno.ENOENT, ""),
    "AlreadyExistsError": (FileExistsError, errno.EEXIST, ""),
    "PreconditionError": (
        *(OSError, errno.ESTALE),
        "It was replaced while it was read; read it again",
    ),
    "PermissionDeniedError": (
        *(PermissionError, errno.EACCES),
        f"Access is denied; {_GUIDE}",
    ),
    "UnauthenticatedError": (
        *(PermissionError, _WRONG_CREDENTIALS),
        f"Access is denied; {_GUIDE}",
    ),
}
# Answers after which a request has certainly done nothing, but for a few that say so
# of a server that was busy.
_REFUSED, _BUSY = range(400, 500), (408, 409)
# It asks to come again later.
_THROTTLED = (429, 503)
_MOVED, _FORBIDDEN = range(300, 400), "403"
_SHORTEST_SECRET = 4


class Words:
    """
    Turns errors of obstore into errors of files, which hold no secrets.

    Args:
        root: The URL.
        bucket: The name of the bucket.
        options: The options of the store, whose texts may be secrets.
    """

    def __init__(self, root: str, bucket: str, options: Options) -> None:
        self._root, self._bucket = root, bucket
        self._secrets = [*_texts_in(options)]

    def plain(self, error: BaseException) -> str:
        """Return the first line of an error, without queries and secrets."""
        text = re.sub(r"\?[^\s\"')]*", "", str(error).partition("\n")[0])
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return text.strip()

    def told(self, error: BaseException, key: str) -> OSError:
        """
        Return an error as an `OSError`.

        Args:
            error: The error.
            key: The key that the request was about; "" if it was about all.
        """
        place = f"{self._root}/{key}" if key else self._root
        text, kind = str(error), type(error).__name__
        found = _CODE.search(text)
        code = (found[1] or found[2]) if found else ""
        if code in _NO_BUCKET:
            what = (
                f"There is no bucket {self._bucket!r}; create it, or correct its name"
            )
            return FileNotFoundError(errno.ENODEV, what, self._root)
        if code in _ADVICE:
            what = f"{_ADVICE[code]} ({code})"
            return PermissionError(_WRONG_CREDENTIALS, what, place)
        if any(address in text for address in _METADATA):
            what = f"No credentials were found; {_GUIDE}"
            return PermissionError(_WRONG_CREDENTIALS, what, place)
        if not key and (hindered := _unlisted(text, kind, place)):
            return hindered
        if kind in _KINDS:
            made, number, what = _KINDS[kind]
            return made(number, what or os.strerror(number), place)
        return _otherwise(text, code, place)


def _unlisted(text: str, kind: str, place: str) -> OSError | None:
    """Return why a listing failed, if that is a matter of listings alone."""
    if kind == "InvalidPathError" and (odd := _ODD_KEY.search(text)):
        what = f"The key '{odd[1]}' cannot be a path, which hides all others that are "
        what += "listed with it; delete or rename that object"
        return OSError(errno.EINVAL, what, place)
    status = _STATUS.search(text)
    if kind == "PermissionDeniedError" or (status and status[1] == _FORBIDDEN):
        what = "It may not be listed; allow that, as s3:ListBucket does, or "
        return PermissionError(errno.EACCES, what + _GUIDE, place)
    return None


def _otherwise(text: str, code: str, place: str) -> OSError:
    """Return an error that has no class of its own."""
    status = _STATUS.search(text)
    if "redirect without LOCATION" in text or (status and int(status[1]) in _MOVED):
        what = "The bucket is in another region; set AWS_REGION, or region in "
        return OSError(errno.EINVAL, f"{what}store_options", place)
    if status:
        return _answered(int(status[1]), code, place)
    return _unanswered(text, place)


def _answered(number: int, code: str, place: str) -> OSError:
    what = f"The server answered {number}{f' ({code})' if code else ''}"
    if number in _THROTTLED:
        return UncertainError(errno.EBUSY, f"{what}; save less often", place)
    is_certain = number in _REFUSED and number not in _BUSY
    return (OSError if is_certain else UncertainError)(errno.EIO, what, place)


def _unanswered(text: str, place: str) -> OSError:
    if "kind: Connect" in text or "ConnectError" in text or "dns error" in text:
        what = "The server cannot be reached; correct endpoint or region, or try later"
        # It tells how the last attempt ended, and an earlier one may have arrived.
        kind = UnreachableError if _AGAIN.search(text) else ConnectionError
        return kind(errno.ECONNREFUSED, what, place)
    if "timed out" in text or "TimedOut" in text:
        what = "The server did not answer in time; raise timeout in the "
        what += "client_options of store_options"
        return UncertainError(errno.ETIMEDOUT, what, place)
    return UncertainError(errno.EIO, "The connection broke off", place)


def _texts_in(options: object) -> Iterator[str]:
    """Yield the texts among options, which may be secrets."""
    for value in options.values() if isinstance(options, Mapping) else ():
        if isinstance(value, str) and len(value) >= _SHORTEST_SECRET:
            yield value
        yield from _texts_in(value)
