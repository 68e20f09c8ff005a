"""What each adapter adds to its framework, measured in the environment of that framework.

`tests/e2e/NAME/bench.py` measures; an environment that does not stand is named, and not made.
"""

from __future__ import annotations

import subprocess

from tests.e2e.environments import FRAMEWORKS, HERE, ROOT, inside, ready


def main() -> None:
    """Print the lines of all adapters that can be measured here."""
    for framework in FRAMEWORKS.values():
        path = HERE / framework.name / "bench.py"
        if not path.exists():
            continue
        if not ready(framework):
            print(f"# {framework.name} not measured: make e2e ONLY={framework.name} first")
            continue
        python = str(framework.folder / "bin" / "python")
        done = subprocess.run(
            [python, str(path)], env=inside(framework), cwd=ROOT, timeout=600, check=False,
            capture_output=True, text=True,
        )  # fmt: skip
        print(done.stdout, end="" if done.returncode == 0 else done.stderr[-2000:], flush=True)


if __name__ == "__main__":
    main()
