"""Classroom 50: runs in the student's checkout, writes result.json and release-body.md, exits 0 whenever it graded.

Put this file into <classroom>/autograders/<assignment>/ together with the folder of the problem.  Students can read
bundles: there is nothing secret in them, model answers are derived while grading.
"""

import os
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

SOURCE = "@SOURCE@"  # what pip installs: a release, or a commit of the project's repository
PROBLEM = Path(__file__).resolve().parent / "@PROBLEM@"


def main() -> int:
    checkout = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        environment = Path(folder) / "environment"
        venv.create(environment, with_pip=True)
        python = str(environment / "bin" / "python")
        install = [python, "-I", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", SOURCE]
        subprocess.run(install, check=True, cwd=folder)
        command = [python, "-I", "-m", "grader", "ci", str(checkout), "--problem", str(PROBLEM)]
        command += ["--classroom50", "result.json", "--release-body", "release-body.md"]
        command += ["--student", os.environ.get("GITHUB_ACTOR", "student")]
        return subprocess.run(command, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
