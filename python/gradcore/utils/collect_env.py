"""torch.utils.collect_env: what a bug report says of the machine. `python -m gradcore.utils.collect_env` prints it."""

from __future__ import annotations

import platform
import subprocess
import sys
from importlib import metadata
from typing import NamedTuple

from .. import _C, __version__

__all__ = ["SystemEnv", "get_env_info", "get_pretty_env_info", "main", "run"]

_PACKAGES = ("gradcore", "mypy", "numpy", "opt-einsum", "safetensors", "scipy", "torch")


class SystemEnv(NamedTuple):
    """What was found; of the fields of torch's those that are about a machine without GPUs."""

    torch_version: str
    compiler: str
    os: str
    libc_version: str
    python_version: str
    python_platform: str
    is_cuda_available: str
    cpu_info: str
    pip_version: str
    pip_packages: str


def run(command: str | list[str]) -> tuple[int, str, str]:
    """Runs a program and returns its exit code and what it printed, to stdout and to stderr.

    >>> import sys, gradcore
    >>> gradcore.utils.collect_env.run([sys.executable, "-c", "print(7)"])
    (0, '7', '')
    """
    try:
        done = subprocess.run(command, shell=isinstance(command, str), capture_output=True, text=True, errors="replace")
    except OSError as error:
        return 127, "", str(error)
    return done.returncode, done.stdout.strip(), done.stderr.strip()


def get_env_info() -> SystemEnv:
    """What get_pretty_env_info() prints, by name.

    >>> import gradcore
    >>> gradcore.utils.collect_env.get_env_info().is_cuda_available
    'False'
    """
    return SystemEnv(
        torch_version=__version__,
        compiler=_C._build_info()["compiler"],
        os=_os(),
        libc_version="-".join(filter(None, platform.libc_ver())) or "N/A",
        python_version=f"{sys.version} ({sys.maxsize.bit_length() + 1}-bit runtime)".replace("\n", " "),
        python_platform=platform.platform(),
        is_cuda_available="False",
        cpu_info=_cpu(),
        pip_version="pip3",
        pip_packages="\n".join(_versions()),
    )


def get_pretty_env_info() -> str:
    """The versions of this library, of Python and of its packages, and what machine they run on, as a text for a report.

    >>> import gradcore
    >>> print(gradcore.utils.collect_env.get_pretty_env_info().splitlines()[0])  # doctest: +ELLIPSIS
    gradcore version: ...
    """
    info = get_env_info()
    packages = info.pip_packages.replace("\n", f"\n[{info.pip_version}] ")
    return f"""\
gradcore version: {info.torch_version}
Compiler: {info.compiler}

OS: {info.os}
Libc version: {info.libc_version}

Python version: {info.python_version}
Python platform: {info.python_platform}
Is CUDA available: {info.is_cuda_available}

CPU:
{info.cpu_info}

Versions of relevant libraries:
[{info.pip_version}] {packages}"""


def main() -> None:
    """Prints get_pretty_env_info()."""
    print("Collecting environment information...")
    print(get_pretty_env_info())


def _os() -> str:
    try:
        name = platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        name = f"{platform.system()} {platform.release()}"
    return f"{name} ({platform.machine()})"


def _cpu() -> str:
    code, text, _ = run(["lscpu"])
    return text if code == 0 else platform.processor() or platform.machine()


def _versions() -> list[str]:
    found = []
    for package in _PACKAGES:
        try:
            found.append(f"{package}=={metadata.version(package)}")
        except metadata.PackageNotFoundError:
            continue
    return found


if __name__ == "__main__":
    main()
