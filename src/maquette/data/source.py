"""Finds the original files of a data set: in $MAQUETTE_DATA, in the user's cache, or at their address.

A file counts as found only if its sha256 is the one on the set's card. A download goes to a `.part` file,
goes on where it was interrupted, and gets its name when it is whole and right.
"""

import errno
import hashlib
import http.client
import lzma
import os
import ssl
import stat
import tarfile
import tempfile
import urllib.error
import urllib.request
import zipfile
import zlib
from collections.abc import Sequence
from contextlib import contextmanager
from pathlib import Path, PureWindowsPath

from maquette.data.dataset import File
from maquette.errors import InputError

_CHUNK = 1 << 20
_TRIES = 3
_SECONDS = 30
_checked: dict[tuple[str, int, int], str] = {}
_downloaded: dict[str, str] = {}


def locate(set_name: str, files: Sequence[File]) -> dict[str, Path]:
    """Return the path of each file of the set, a dict from file name to Path.

    `files` are `File`s (name, sha256, url). Each is looked for in $MAQUETTE_DATA/<set>, then in the cache
    ($MAQUETTE_CACHE, or `maquette` in $XDG_CACHE_HOME or ~/.cache), then downloaded into the cache.
    Raises InputError naming the file if it is found with another checksum, cannot be downloaded (with both
    remedies), arrives with another checksum, or does not fit on the disk.
    """
    return {file.name: _locate_one(set_name, file) for file in files}


def describe(paths: dict[str, Path]) -> str:
    """Return in one line where the files of `locate` came from: the folder, or the download's address."""
    places = []
    for path in paths.values():
        url = _downloaded.get(str(path))
        places.append(f"{path.parent}, downloaded from {url.rsplit('/', 1)[0]}" if url else str(path.parent))
    return "; ".join(dict.fromkeys(places))


def cache_folder() -> Path:
    """Return the folder of downloaded files, as a Path; it need not exist yet."""
    if os.environ.get("MAQUETTE_CACHE"):
        return Path(os.environ["MAQUETTE_CACHE"]).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "maquette"


def checksum(path: Path) -> str:
    """Return the sha256 of the file `path` in hex; it is remembered while size and time stay the same."""
    state = os.stat(path)
    key = (str(path), state.st_size, state.st_mtime_ns)
    if key not in _checked:
        with open(path, "rb") as stream:
            _checked[key] = hashlib.file_digest(stream, "sha256").hexdigest()
    return _checked[key]


def _locate_one(set_name, file):
    cached = cache_folder() / set_name / file.name
    folder = os.environ.get("MAQUETTE_DATA")
    local = [Path(folder).expanduser() / set_name / file.name] if folder else []
    for path in (*local, cached):
        if path.is_file():
            _check_local(path, file)
            return path
    if not file.url:
        raise InputError(f"{set_name}: {file.name} has no public address; {_remedies(cached)}")
    with _disk(cached.parent):
        cached.parent.mkdir(parents=True, exist_ok=True)
        _download(set_name, file, cached)
    _downloaded[str(cached)] = file.url
    return cached


def _check_local(path, file):
    with _disk(path.parent):
        found = checksum(path)
    if file.sha256 and found != file.sha256:
        raise InputError(
            f"{path}: the sha256 is {found[:12]}... where the original has {file.sha256[:12]}...;"
            f" replace the file, or remove it to download the original"
        )


def _download(set_name, file, path):
    part = path.with_name(path.name + ".part")
    reason = "the connection was cut"
    for _ in range(_TRIES):
        try:
            if _fetch(file.url, part):
                break
        except urllib.error.URLError as error:
            raise InputError(_unreachable(set_name, file, path, error.reason)) from error
        except (http.client.HTTPException, TimeoutError, ConnectionError, ssl.SSLError) as error:
            reason = str(error) or type(error).__name__
    else:
        raise InputError(_unreachable(set_name, file, path, reason))
    found = checksum(part)
    if file.sha256 and found != file.sha256:
        part.unlink()
        raise InputError(
            f"{set_name}: {file.name} from {file.url} has the sha256 {found[:12]}... where the original has"
            f" {file.sha256[:12]}...; try again, or {_remedies(path)}"
        )
    part.replace(path)


def _fetch(url, part):
    """Download `url` to the end of `part`; return whether the file is whole."""
    start = _size(part)
    request = urllib.request.Request(url, headers={"Range": f"bytes={start}-"} if start else {})
    try:
        response = urllib.request.urlopen(request, timeout=_SECONDS)
    except urllib.error.HTTPError as error:
        if error.code != http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            raise
        # The part is as long as the file or longer: the checksum decides.
        error.close()
        return True
    with response:
        resumed = response.status == http.HTTPStatus.PARTIAL_CONTENT
        resumed = resumed and response.headers.get("Content-Range", "").startswith(f"bytes {start}-")
        length = response.headers.get("Content-Length")
        received = _write(response, part, "ab" if resumed else "wb")
    return length is None or received == int(length)


def _write(response, part, mode):
    received = 0
    with open(part, mode) as stream:
        while block := response.read(_CHUNK):
            received += stream.write(block)
    return received


def _size(path):
    return path.stat().st_size if path.is_file() else 0


def _unreachable(set_name, file, path, reason):
    return f"{set_name}: {file.name} cannot be downloaded from {file.url} ({reason}); {_remedies(path)}"


def _remedies(path):
    inside = f"{path.parent.name}/{path.name}"
    return f"set MAQUETTE_DATA to a folder that holds {inside}, or put the file at {path}"


@contextmanager
def _disk(folder):
    """Turn what the disk refuses into an InputError that names the folder."""
    try:
        yield
    except InputError:
        raise
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        reason = "the disk is full; free some space" if full else f"{error.strerror or error}; check the folder"
        raise InputError(f"{folder}: {reason}, or set MAQUETTE_CACHE to another folder") from error


def extract(archive: str | Path, folder: str | Path) -> Path:
    """Unpack a zip or tar file into `folder` and return it as a Path; a folder that exists is left as it is.

    The members are unpacked beside it first and renamed when all are there. Raises InputError naming the
    archive if it is damaged, or a member leads outside: an absolute name, '..', or a link that leaves.
    """
    archive, folder = Path(archive), Path(folder)
    if folder.exists():
        return folder
    if not archive.is_file():
        raise InputError(f"{archive}: does not exist; give a zip or tar file")
    with _disk(folder.parent):
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as temporary:
            inside = Path(temporary) / "members"
            _unpack(archive, inside)
            inside.rename(folder)
    return folder


def _unpack(archive, folder):
    try:
        if zipfile.is_zipfile(archive):
            _unpack_zip(archive, folder)
        else:
            _unpack_tar(archive, folder)
    except tarfile.FilterError as error:
        raise InputError(f"{archive}: {error}; use another archive") from error
    except (zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, EOFError) as error:
        reason = str(error).partition("\n")[0].rstrip(":")
        raise InputError(f"{archive}: the archive is damaged ({reason}); fetch it again") from error


def _unpack_zip(archive, folder):
    with zipfile.ZipFile(archive) as members:
        for member in members.infolist():
            _check_member(archive, member.filename)
            if stat.S_ISLNK(member.external_attr >> 16):
                raise InputError(f"{archive}: the member '{member.filename}' is a link; use an archive without")
        members.extractall(folder)


def _unpack_tar(archive, folder):
    with tarfile.open(archive) as members:
        for member in members:
            _check_member(archive, member.name)
            if member.islnk():
                _check_member(archive, member.linkname)
        # This filter follows links to where they really lead and refuses what is not a file or a folder.
        members.extractall(folder, filter="data")


def _check_member(archive, name):
    windows = PureWindowsPath(name)
    if windows.is_absolute() or windows.drive or windows.root or ".." in windows.parts:
        raise InputError(f"{archive}: the member '{name}' leads outside the folder; use another archive")
