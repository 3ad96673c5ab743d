"""The Job's files, copied from their read-only mount into the workspace before anything else."""

import os
from pathlib import Path

from coxswain_agent import files
from coxswain_agent.errors import ToolError, WorkError
from coxswain_agent.paths import Workspace

# The kubelet keeps what it mounts in folders of such names and links to it.
HIDDEN = ".."


def copy(source: Path, workspace: Workspace) -> int:
    """Copy all files below ``source`` and return how many; links in it are followed.

    Raises WorkError if one cannot be written.
    """
    count = 0
    for folder, folders, names in os.walk(source, followlinks=True):
        folders[:] = [name for name in folders if not name.startswith(HIDDEN)]
        for name in names:
            path = Path(folder, name)
            if name.startswith(HIDDEN):
                continue
            try:
                files.put(workspace, str(path.relative_to(source)), path.read_bytes())
            except (ToolError, OSError) as error:
                raise WorkError("FilesNotCopied", f"a file cannot be copied: {error}") from error
            count += 1
    return count
