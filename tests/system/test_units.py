"""The units: systemd takes them, and finds little that a broken nunciod could reach."""
import re
import shutil
import subprocess

import pytest

import nuncio

UNITS = nuncio.BUILD / "systemd"
EXPOSURE = 1.5


@pytest.fixture(name="units")
def units_of_both(folder):
    """All units as they are installed, with a nunciod that is there."""
    if not shutil.which("systemd-analyze"):
        pytest.skip("no systemd-analyze")
    for place, source in (("system", ""), ("user", "user")):
        (folder / place).mkdir()
        for file in (*(UNITS / source).glob("*.service"), *(nuncio.SOURCE / "systemd" / source).glob("*.[st][oi]*")):
            text = file.read_text()
            built = nuncio.BUILD / ("runner/nuncio-runner" if "runner" in file.name else "daemon/nunciod")
            text = re.sub(r"(?m)^(ExecStart=)\S+", rf"\1{built}", text)
            (folder / place / file.name).write_text(text)
    return folder


def analyze(*arguments):
    return subprocess.run(["systemd-analyze", *map(str, arguments)], capture_output=True, text=True,
                          timeout=nuncio.PATIENCE, check=False)


def test_systemd_reads_them(units):
    for place in ("system", "user"):
        files = sorted((units / place).iterdir())
        assert len(files) >= 2
        done = analyze("verify", "--man=no", f"--{place}", *files)
        wrong = [line for line in done.stderr.splitlines() if "nuncio" in line and "not found" not in line]
        assert not wrong, done.stderr


def test_the_system_s_service_is_locked_down(units):
    done = analyze("security", "--offline=true", units / "system" / "nunciod.service")
    found = re.search(r"exposure level for \S+: ([0-9.]+)", done.stdout)
    assert found, done.stdout + done.stderr
    assert float(found.group(1)) <= EXPOSURE, done.stdout


def test_a_restart_of_the_runner_leaves_its_programs(units):
    for place in ("system", "user"):
        assert "\nKillMode=process\n" in (units / place / "nuncio-runner.service").read_text()


def test_the_runner_s_state_is_made_for_it_and_purged(units):
    """runner.state is beside nunciod's own, which systemd would give to nunciod's user."""
    text = (units / "system" / "nuncio-runner.service").read_text()
    assert "\nStateDirectory=nuncio-runner\n" in text and "\nStateDirectoryMode=0711\n" in text
    assert "/var/lib/nuncio-runner\"" in (nuncio.SOURCE / "debian" / "nuncio.postrm").read_text()


def test_the_runner_s_socket_is_nunciod_s_alone(units):
    text = (units / "system" / "nuncio-runner.socket").read_text()
    assert "\nSocketUser=nuncio\n" in text and "\nSocketMode=0600\n" in text
