"""The program that runs in this process, and what it runs with."""

from __future__ import annotations

import os
import re
import sys
from typing import Any

from checkpoints._process.facts import facts
from checkpoints._process.git import revision_of
from checkpoints._process.libraries import imported

__all__ = ["loaded_versions", "program", "uncaught_error"]

# Options whose values are not for everybody who can read the saves.
_SECRET = re.compile(r"(?i)(-{1,2}[\w-]*(?:pass|secret|token|key|auth)[\w-]*)(=.*)?")
_HIDDEN = "***"
_LONGEST = 200
_MOST_WORDS = 100


def program() -> dict[str, Any]:
    """Return what is known of the program, as plain values for JSON."""
    platform = imported("platform")
    file = _main_file()
    found = {
        "command": _without_secrets(sys.argv[:_MOST_WORDS]),
        "file": file,
        "folder": os.getcwd(),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "versions": loaded_versions(),
    }
    # An installed command is in no repository, but may be run inside of one.
    folders = dict.fromkeys([os.path.dirname(file), os.getcwd()])
    revision = next(filter(None, map(revision_of, filter(None, folders))), None)
    if revision is not None:
        found["git"] = {"commit": revision.commit, "dirty": revision.is_dirty}
    return {**found, **{name: tell() for name, tell in facts.items()}}


def _main_file() -> str:
    """Return the file of the main module; "" if it has none, as in a notebook."""
    file = getattr(sys.modules.get("__main__"), "__file__", None)
    is_file = isinstance(file, str) and os.path.isfile(file)
    return os.path.abspath(str(file)) if is_file else ""


def _without_secrets(words: list[str]) -> list[str]:
    """Return the words of a command, with the values of secret options hidden."""
    shown = []
    follows = False
    for word in words:
        found = _SECRET.fullmatch(word)
        if follows and not word.startswith("-"):
            shown.append(_HIDDEN)
        elif found and found[2]:
            shown.append(f"{found[1]}={_HIDDEN}")
        else:
            shown.append(word)
        follows = bool(found and not found[2])
    return shown


def loaded_versions() -> dict[str, str]:
    """Return the versions of the libraries that are loaded, by the names of modules."""
    found = {}
    for name, module in sorted(sys.modules.items()):
        if "." in name or name in sys.stdlib_module_names:
            continue
        # Not by getattr: modules that load lazily would import something for it.
        version = getattr(module, "__dict__", {}).get("__version__")
        if isinstance(version, str):
            found[name] = version
    return found


def uncaught_error() -> str:
    """Return the exception that ends this process; "" if there is none."""
    if hasattr(sys, "ps1"):  # a session, which continues after an error
        return ""
    error = getattr(sys, "last_value", None)
    if not isinstance(error, BaseException):
        return ""
    try:
        text = f"{type(error).__name__}: {error}"
    except BaseException:  # noqa: BLE001 - a broken __str__ must do no harm at the exit
        text = type(error).__name__
    return text[:_LONGEST].removesuffix(": ")
