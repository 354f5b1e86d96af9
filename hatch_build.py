"""Puts the compiled walker into the wheel, and beside its source for an editable install, where rustc is there."""

import runpy
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from packaging.tags import platform_tags

DECODE = Path("collector_processors/llmvitals_collector/decode")


class WalkerHook(BuildHookInterface[Any]):
    """With the library the wheel is for this platform, and for every Python 3; without it, for all.

    https://hatch.pypa.io/latest/plugins/build-hook/reference/
    """

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the library, and say that it belongs to the wheel."""
        try:
            library = runpy.run_path(str(Path(self.root, DECODE, "build.py")))["build"]()
        except subprocess.CalledProcessError as error:
            self.app.display_warning(f"the walker is left out, as it could not be compiled: {error}")
            return
        if library and version != "editable":
            build_data["pure_python"] = False
            # The first is the C library's that it was linked with; linux_x86_64 and the like would promise nothing.
            platform = next(tag for tag in platform_tags() if not tag.startswith("linux_"))
            build_data["tag"] = f"py3-none-{platform}"
            build_data["force_include"][str(library)] = str(Path("llmvitals_collector", "decode", library.name))
