"""The command that verifies, as the process that people start."""

import subprocess
import sys
from pathlib import Path

from tests.support import audit_log


def test_it_runs_alone(tmp_path: Path) -> None:
    file, key = tmp_path / "audit.jsonl", tmp_path / "keys.txt"
    chain = audit_log.sealed([[audit_log.row(1)]], audit_log.keys())
    file.write_text("".join(audit_log.text(audit_log.lines_of(chain))))
    key.write_text(audit_log.keys().public.text)
    command = [sys.executable, "-m", "coxswain.cli.audit", "verify", str(file), "--key", str(key)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={})
    assert done.returncode == 0, done.stderr
