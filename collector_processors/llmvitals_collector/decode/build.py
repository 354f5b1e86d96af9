"""Compiles the walker in Rust, where there is a Rust compiler: run this file by its path, or build the wheel.

Imports nothing but the standard library, for it also runs where nothing else is installed yet.
"""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
_SUFFIX = {"darwin": ".dylib", "win32": ".dll"}.get(sys.platform, ".so")
_OPTIONS = (
    "--edition=2021",
    "--crate-type=cdylib",
    "--crate-name=walk",
    "-Copt-level=3",
    "-Ccodegen-units=1",
    "-Cstrip=symbols",
)


def library(folder: Path = HERE) -> Path:
    """Where the compiled walker is, if it has been compiled. A source that has been changed has another library."""
    source = b"".join(path.read_bytes() for path in sorted(folder.glob("*.rs")))
    version = hashlib.sha256(source + " ".join(_OPTIONS).encode()).hexdigest()[:16]
    return folder / f"walk-{version}{_SUFFIX}"


def compiler() -> str | None:
    """Where the Rust compiler is, if there is one that runs: rustup's stands for one that may not be installed."""
    rustc = shutil.which("rustc")
    runs = rustc and subprocess.run([rustc, "--version"], capture_output=True, check=False).returncode == 0  # noqa: S603
    return rustc if runs else None


def build(folder: Path = HERE) -> Path | None:
    """Compile the walker beside its source, unless that is done; None where there is no Rust compiler.

    Raises:
        subprocess.CalledProcessError: the compiler can't compile it; what it says is on stderr.
    """
    built = library(folder)
    if built.exists():
        return built
    rustc = compiler()
    if rustc is None:
        return None
    # Under another name first, so that nobody loads half a library.
    unfinished = built.with_suffix(".unfinished")
    nowhere = f"--remap-path-prefix={folder}=decode"  # what is shipped does not tell where it was built
    subprocess.run([rustc, *_OPTIONS, nowhere, "-o", unfinished, folder / "walk.rs"], check=True)  # noqa: S603 # all ours
    for earlier in folder.glob(f"walk-*{_SUFFIX}"):
        earlier.unlink()
    return unfinished.rename(built)


if __name__ == "__main__":
    sys.exit(None if build() else "not compiled, as there is no rustc: the collector reads protobuf without, slower")
