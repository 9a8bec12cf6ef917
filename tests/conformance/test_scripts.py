import os
import subprocess
from pathlib import Path

import pytest

SCRIPTS = sorted((Path(__file__).resolve().parents[2] / "conformance").rglob("*.sh"))
COMMANDS = [path for path in SCRIPTS if os.access(path, os.X_OK) and path.name != "node-init.sh"]


def bash(*args: object, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", *map(str, args)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **env},
    )


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_syntax(path: Path) -> None:
    assert bash("-n", path).stderr == ""


@pytest.mark.parametrize("path", COMMANDS, ids=lambda path: path.name)
def test_help_explains_without_doing_anything(path: Path, tmp_path: Path) -> None:
    done = bash(path, "--help", PYKUBE_CP_CACHE=str(tmp_path / "cache"))
    assert done.returncode == 0
    assert done.stdout
    assert not (tmp_path / "cache").exists()


def settings(conformance: Path, expression: str, **env: str) -> str:
    script = f'. "{conformance}/env.sh"; {expression}'
    return bash("-c", script, **env).stdout.strip()


def test_the_version_is_the_one_of_go_mod(conformance: Path) -> None:
    assert settings(conformance, "echo $KUBE_VERSION") == "v1.37.2"


def test_control_planes_do_not_share_ports_or_data(conformance: Path) -> None:
    names = ("pykube-cp", "reference", "swapped", "swapped-back")
    said = [
        word
        for name in names
        for word in settings(conformance, "echo $API_PORT $DATA $JOIN", CONTROL_PLANE=name).split()
    ]
    assert len(set(said)) == 3 * len(names)


def test_a_reused_pid_is_not_taken_for_the_daemon(conformance: Path, tmp_path: Path) -> None:
    script = 'mkdir -p "$STATE/run"; echo "$$ 1" >"$STATE/run/x.pid"; alive x && echo alive'
    assert settings(conformance, script, PYKUBE_CP_STATE=str(tmp_path)) == ""
    script = "remember x $$; alive x && echo alive"
    assert settings(conformance, script, PYKUBE_CP_STATE=str(tmp_path)) == "alive"
