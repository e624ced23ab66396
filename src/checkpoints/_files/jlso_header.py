"""
The header of a file of JLSO.

Files that this library writes have its own header, as JSON, in the TOML that JLSO keeps
for the project. What Julia wrote gets a header from what the file says, and its path.
"""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from checkpoints._files.jlso_document import JlsoDocument, version_text
from checkpoints._keys.julia_path import JULIA, parse_verbatim
from checkpoints._kinds import json_bytes
from checkpoints.storage._store import Source

__all__ = ["foreign_header", "own_header", "project_of"]

_HEADER = "[checkpoints]\nheader = "
# That of JLSO is one of texts and bytes.
_META_TYPE = "Dict{String,Any}"
_STRING = json.JSONDecoder()
_SECTION = re.compile(r"^\[+(?:deps\.)?([^\[\]\n]+)\]+[ \t]*$", re.MULTILINE)
_DEPENDENCY = re.compile(r'^([^\s=]+) = "', re.MULTILINE)
_VERSION = re.compile(r'^version = "([^"\n]*)"', re.MULTILINE)


def project_of(header: bytes) -> str:
    """Return the project of a file that this library writes, as TOML."""
    known = json.loads(header)
    # In ASCII, as the escapes of JSON for other characters are none of TOML.
    lines = ["[checkpoints]", f"header = {_quoted(json.dumps(known))}", ""]
    if "python" not in known:  # a copy of what Julia wrote
        return "\n".join(lines)
    lines += ["[python]", f"version = {_quoted(known['python'])}", ""]
    lines += ["[python.packages]"]
    lines += [f"{_quoted(it)} = {_quoted(of)}" for it, of in known["packages"].items()]
    return "\n".join([*lines, ""])


def _quoted(text: str) -> str:
    # The strings of JSON are those of TOML, except for one control character.
    return json.dumps(text).replace("\x7f", "\\u007f")


def own_header(document: JlsoDocument) -> bytes | None:
    """Return this library's own header; None if it is not the last to have written."""
    project = str(document.meta.get("project"))
    at = project.find(_HEADER)
    # Julia can change objects of a file, and keeps the project.
    if at < 0 or document.meta_type != _META_TYPE:
        return None
    try:
        # A string of JSON is one of TOML.
        text = _STRING.raw_decode(project, at + len(_HEADER))[0]
        known = json.loads(text)
        names = sorted(known["values"])
    except (ValueError, LookupError, TypeError, RecursionError):
        return None
    if names != sorted(document.objects):
        return None
    return json_bytes.as_utf8(json_bytes.to_text({**known, **_form_of(document)}))


def _form_of(document: JlsoDocument) -> dict[str, str]:
    return {
        "jlso": document.version,
        "format": document.format,
        "compression": document.compression,
    }


def foreign_header(document: JlsoDocument, source: Source, manifest: str) -> bytes:
    """
    Return what a file and its path say, in the form of a header.

    Args:
        document: The document that the file begins with.
        source: The file.
        manifest: The manifest of its environment, as TOML.
    """
    folders, _, file = source.name.rpartition("/")
    tags, prefixes = parse_verbatim(folders.split("/") if folders else ())
    time = datetime.datetime.fromtimestamp(source.status.time / 1e9, datetime.UTC)
    meta, project = document.meta, str(document.meta.get("project") or "")
    installed = meta.get("pkgs")
    if not isinstance(installed, Mapping):
        installed = _packages_in(project, manifest)
    kind = "julia.bson" if document.format == "bson" else "julia.serialize"
    header = {
        "checkpoints": 1,
        "name": ".".join([*prefixes, file.removesuffix(JULIA)]),
        "tags": [list(pair) for pair in tags.items()],
        "time": time.isoformat(timespec="microseconds"),
        "julia": version_text(meta.get("julia")),
        "packages": {str(it): version_text(of) for it, of in installed.items()},
        **_form_of(document),
        "image": str(meta.get("image") or ""),
        "project": project,
        "manifest": manifest,
        "values": {
            name: {"kind": kind, "bytes": it.size}
            for name, it in document.objects.items()
        },
    }
    return json_bytes.as_utf8(json_bytes.to_text(header))


@lru_cache(maxsize=16)
def _packages_in(project: str, manifest: str) -> dict[str, str]:
    """Return the versions of the packages that a project names; of all, if of none."""
    wanted = {
        name
        for section, text in _sections(project)
        if section == "deps"
        for name in _DEPENDENCY.findall(text)
    }
    found = {}
    for section, text in _sections(manifest):
        version = _VERSION.search(text)
        if version and (section in wanted or not wanted):
            found[section] = version[1]
    return found


def _sections(toml: str) -> Iterator[tuple[str, str]]:
    """Yield the name and the text of each table, as Julia writes them."""
    parts: list[Any] = _SECTION.split(toml)
    yield from zip(parts[1::2], parts[2::2], strict=True)
