"""Print how long functions and files are, beside what the project aims at.

Sizes are watched, not enforced: a function past 80 lines or a file past 500 is a question to answer.
"""

import ast
import statistics
import subprocess
from pathlib import Path

AIMS = "aims: function median 9, p90 30, none over 80; file median 180, none over 500"


def functions(path: Path) -> list[tuple[int, str]]:
    tree = ast.parse(path.read_text())
    return [
        ((node.end_lineno or node.lineno) - node.lineno + 1, f"{path}:{node.lineno} {node.name}")
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]


def main() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "pykube_cp/*.py"], capture_output=True, text=True, check=True
    ).stdout.split()
    paths = [Path(name) for name in listed if Path(name).is_file()]
    sizes = sorted(size for path in paths for size in functions(path))
    lines = sorted((path.read_text().count("\n"), str(path)) for path in paths)
    p90 = sizes[[len(sizes) * 9 // 10][0]][0]
    print(
        f"{len(sizes)} functions: median {statistics.median(size for size, _ in sizes):.0f}, "
        f"p90 {p90}, longest {sizes[-1][0]}; {len(lines)} files: "
        f"median {statistics.median(size for size, _ in lines):.0f}, longest {lines[-1][0]}"
    )
    print(AIMS)
    for size, where in [each for each in sizes if each[0] > 80] + [e for e in lines if e[0] > 500]:
        print(f"  {size:4} {where}")


if __name__ == "__main__":
    main()
