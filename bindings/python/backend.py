"""Builds the package for pip (PEP 517). A wheel is a zip file with a list of what is in it, so this is all it takes.

What setuptools would do is done here because it would have to be downloaded first, and a package that needs nothing
should need nothing to be installed either.
"""

import base64
import hashlib
import io
import os
import pathlib
import re
import tarfile
import zipfile

HERE = pathlib.Path(__file__).resolve().parent
VERSION = os.environ.get("KBUS_BUILT") or re.search(r'__version__ = "(.*)"', (HERE / "kbus" / "__init__.py").read_text())[1]
STEM = "kbus-" + VERSION

METADATA = """Metadata-Version: 2.1
Name: kbus
Version: {}
Summary: KBUS, a message bus for the processes of one machine: the original's API, asyncio, and Limpets
License: Apache-2.0
Requires-Python: >=3.8
""".format(VERSION)

WHEEL = "Wheel-Version: 1.0\nGenerator: kbus\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


def sources():
    """What is installed, as (name, bytes), in order."""
    files = [f for f in (HERE / "kbus").rglob("*") if f.suffix in (".py", ".typed")]
    return sorted((f.relative_to(HERE).as_posix(), f.read_bytes()) for f in files)


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    """Writes the wheel into a directory and gives its name."""
    name = STEM + "-py3-none-any.whl"
    info = STEM + ".dist-info/"
    record = []
    with zipfile.ZipFile(pathlib.Path(wheel_directory) / name, "w", zipfile.ZIP_DEFLATED) as wheel:
        for path, data in sources() + [(info + "METADATA", METADATA.encode()), (info + "WHEEL", WHEEL.encode())]:
            wheel.writestr(path, data)
            digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
            record.append("{},sha256={},{}\n".format(path, digest, len(data)))
        wheel.writestr(info + "RECORD", "".join(record) + info + "RECORD,,\n")
    return name


def build_sdist(sdist_directory, config_settings=None):
    """Writes an archive from which the wheel can be built, and gives its name."""
    name = STEM + ".tar.gz"
    own = [(f, (HERE / f).read_bytes()) for f in ("pyproject.toml", "backend.py")]
    with tarfile.open(pathlib.Path(sdist_directory) / name, "w:gz") as archive:
        for path, data in own + [("PKG-INFO", METADATA.encode())] + sources():
            member = tarfile.TarInfo(STEM + "/" + path)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return name
