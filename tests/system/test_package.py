"""The Debian package, in a root file system fresh from debootstrap: installed, used, upgraded
while mail waits, removed, purged. No systemd runs in there, so what the unit does is done
here: nunciod is started as the user nuncio, and restarted after an upgrade.

Takes minutes and needs Debian's archive, root, debootstrap and debhelper. $NUNCIO_ROOTFS is
a fresh root made before by debootstrap, to be copied instead of made."""
import os
import pathlib
import platform
import shutil
import stat
import subprocess
import time

import pytest

import nuncio

TOOLS = ("debootstrap", "dh", "dpkg-buildpackage")
PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
MIRROR = "http://deb.debian.org/debian"
PATIENCE = max(nuncio.PATIENCE, 1800)
CONFIG = 'contacts = ( { name = "root"; mail = ["admin@example.com"]; } );\n'
# What belongs to the package and its daemon alone.
PLACES = ("etc/nuncio", "var/lib/nuncio", "var/log/nuncio", "run/nuncio")

pytestmark = [
    pytest.mark.skipif(os.environ.get("NUNCIO_LONG") != "yes", reason="takes minutes"),
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a root file system"),
    pytest.mark.skipif(not all(map(shutil.which, TOOLS)), reason="needs " + ", ".join(TOOLS)),
]


def run(*command, check=True, **kw):
    """A program to its end; its output is seen when it fails."""
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=PATIENCE,
                          check=False, **{"stdin": subprocess.DEVNULL} if "input" not in kw else {}, **kw)
    assert not check or done.returncode == 0, (command, done.returncode, done.stdout[-3000:], done.stderr[-3000:])
    return done


class Machine:
    """A root file system of its own, and the nunciod that runs in it."""

    def __init__(self, root):
        self.root = root
        self.daemon = None
        self.log = root.parent / "nunciod.log"

    def make(self):
        made = os.environ.get("NUNCIO_ROOTFS")
        if made:
            run("cp", "-a", made, self.root)
        else:
            suite = platform.freedesktop_os_release()["VERSION_CODENAME"]
            run("debootstrap", "--variant=minbase", "--include=ca-certificates", suite, self.root, MIRROR)
        # This machine's way to the network.
        for file in ("resolv.conf", "hosts"):
            shutil.copy(pathlib.Path("/etc", file), self.root / "etc" / file)
        for file in pathlib.Path("/etc/apt/apt.conf.d").glob("99*"):
            shutil.copy(file, self.root / "etc/apt/apt.conf.d" / file.name)
        self.apt("update", "-q")

    def run(self, *command, user=None, **kw):
        """A program in there, with a /proc of its own that is gone with it."""
        environment = {k: v for k, v in os.environ.items() if k.lower().endswith("_proxy")}
        environment.update(PATH=PATH, LC_ALL="C.UTF-8", DEBIAN_FRONTEND="noninteractive")
        become = ("setpriv", "--reuid", user, "--regid", "nogroup", "--clear-groups") if user else ()
        return run("unshare", "--mount", "--pid", "--fork", "--kill-child", f"--mount-proc={self.root / 'proc'}",
                   "chroot", self.root, *become, *command, env=environment, **kw)

    def apt(self, *command):
        return self.run("apt-get", *command).stdout

    def install(self, *what):
        return self.apt("install", "-q", "-y", "--no-install-recommends", "-o", "Dpkg::Options::=--force-confdef",
                        "-o", "Dpkg::Options::=--force-confold", *what)

    def take(self, package):
        """The package's file, brought into it."""
        shutil.copy(package, self.root / "srv" / package.name)
        return f"/srv/{package.name}"

    def version(self):
        return self.run("dpkg-query", "-W", "-f", "${db:Status-Abbrev}${Version}", "nuncio", check=False).stdout

    def id_of(self, name, file="passwd"):
        for line in (self.root / "etc" / file).read_text().splitlines():
            if line.startswith(name + ":"):
                return int(line.split(":")[2])
        raise AssertionError(f"no {name} in {file}")

    def start(self):
        """As nunciod.service does."""
        with open(self.log, "ab") as log:
            self.daemon = subprocess.Popen(
                ["chroot", f"--userspec={self.id_of('nuncio')}:{self.id_of('nuncio', 'group')}", "--groups=",
                 self.root, "/usr/bin/nunciod", "-f", "/etc/nuncio/nuncio.conf"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, env={"PATH": PATH})
        self.run("nuncio", "status", f"--wait={int(nuncio.PATIENCE)}s")

    def stop(self):
        if self.daemon:
            self.daemon.terminate()
            assert self.daemon.wait(timeout=nuncio.PATIENCE) == 0, self.log.read_text()
            self.daemon = None

    def subjects(self):
        return sorted(m["Subject"] for m in nuncio.maildir(self.root / "var/lib/nuncio/outbox"))

    def wait_subjects(self, *wanted):
        """Exactly these have arrived, each once."""
        end = time.monotonic() + nuncio.PATIENCE
        while len(self.subjects()) < len(wanted):
            assert time.monotonic() < end, (self.subjects(), self.log.read_text()[-3000:])
            self.run("nuncio", "status")
        assert self.subjects() == sorted(wanted)

    def waiting(self):
        return len(self.run("nuncio", "queue").stdout.splitlines()) - 1


@pytest.fixture(name="packages", scope="module")
def two_versions(session_folder):
    """The package of this tree, and a later one with another default configuration."""
    tree = session_folder / "package" / "nuncio"
    shutil.copytree(nuncio.SOURCE, tree, symlinks=True, ignore=shutil.ignore_patterns(".git", "build*", "__pycache__"))
    build = ("dpkg-buildpackage", "-us", "-uc", "-b")
    environment = {**os.environ, "DEB_BUILD_OPTIONS": "noautodbgsym"}
    run(*build, cwd=tree, env=environment)
    first, = tree.parent.glob("*.deb")
    changes = tree / "debian" / "changelog"
    version = run("dpkg-parsechangelog", "-S", "Version", cwd=tree).stdout.strip()
    changes.write_text(changes.read_text().replace(f"({version})", f"({version}+later)", 1))
    with open(tree / "conf" / "nuncio.conf", "a", encoding="utf-8") as file:
        file.write("\n# A later version says more.\n")
    run(*build, "-nc", cwd=tree, env=environment)
    second, = set(tree.parent.glob("*.deb")) - {first}
    return {version: first, f"{version}+later": second}


@pytest.fixture(name="machine")
def machine_of_its_own(folder):
    machine = Machine(folder / "root")
    machine.make()
    yield machine
    if machine.daemon:
        machine.daemon.kill()
        machine.daemon.wait()


def mail(machine, subject, program="/usr/sbin/sendmail"):
    machine.run(program, "root", user="nobody", input=f"Subject: {subject}\n\nbody\n")


def check_installed(machine, version):
    """What an installation leaves: its user, its places and their modes, its units, its names."""
    root = machine.root
    user, group = machine.id_of("nuncio"), machine.id_of("nuncio", "group")
    assert machine.version() == f"ii {version}"
    for place, mode, owner in (("etc/nuncio/nuncio.conf", 0o640, 0), ("var/lib/nuncio", 0o711, user),
                               ("var/lib/nuncio/drop", 0o3733, user), ("run/nuncio", 0o755, user)):
        found = (root / place).stat()
        assert (stat.S_IMODE(found.st_mode), found.st_uid, found.st_gid) == (mode, owner, group), place
    wanted = root / "etc/systemd/system"
    assert (wanted / "sockets.target.wants/nunciod.socket").is_symlink()
    assert (wanted / "multi-user.target.wants/nunciod.service").is_symlink()
    assert not list((root / "etc/systemd").glob("**/nuncio-metrics.timer"))
    assert not list((root / "etc/systemd/user").glob("**/nunciod.*"))
    for name in ("usr/sbin/sendmail", "usr/lib/sendmail", "usr/bin/mailq", "usr/bin/newaliases"):
        assert (root / name).resolve() == (root / "usr/bin/nuncio").resolve(), name
    for page in ("man1/nuncio.1", "man1/mailq.1", "man5/nuncio.conf.5", "man7/nuncio-protocol.7", "man8/nunciod.8",
                 "man8/sendmail.8"):
        assert (root / "usr/share/man" / (page + ".gz")).exists(), page
    machine.run("setpriv", "--reuid=nuncio", "--regid=nuncio", "--clear-groups", "nunciod", "--check",
                "-f", "/etc/nuncio/nuncio.conf")


def check_purged(machine):
    root = machine.root
    for place in PLACES:
        assert not (root / place).exists(), list((root / place).rglob("*"))
    left = run("find", root, "-xdev", "-name", "*nuncio*", "-not", "-path", f"{root}/srv/*").stdout
    assert not left, left
    assert "ok installed" not in machine.run("dpkg-query", "-W", "-f", "${Status}", "nuncio", check=False).stdout


def test_install_upgrade_remove_and_purge(machine, packages):
    (version, first), (later, second) = packages.items()

    machine.install(machine.take(first))
    check_installed(machine, version)
    config = machine.root / "etc/nuncio/nuncio.conf"
    with open(config, "a", encoding="utf-8") as file:
        file.write(CONFIG)
    # A program that wants any mail-transport-agent finds it there, and brings none along.
    installed = machine.install("bsd-mailx")
    assert "exim" not in installed and "postfix" not in installed, installed

    mail(machine, "before nunciod was ever started")
    machine.start()
    machine.run("nuncio", "send", "--wait=sent", "-s", "by nuncio", "root", "text")
    mail(machine, "by sendmail")
    machine.run("mail", "-s", "by mail", "root", user="nobody", input="hi\n")
    arrived = ["before nunciod was ever started", "by nuncio", "by sendmail", "by mail"]
    machine.wait_subjects(*arrived)

    # An upgrade under a nunciod that runs, and over mail that waits.
    machine.run("nuncio", "pause", "outbox")
    waited = ["waits 1", "waits 2", "waits 3"]
    for subject in waited:
        mail(machine, subject, "/usr/lib/sendmail")
    assert machine.waiting() == 3
    machine.install(machine.take(second))
    check_installed(machine, later)
    assert config.read_text().endswith(CONFIG)
    assert machine.waiting() == 3
    machine.stop()
    mail(machine, "between two daemons")
    machine.start()
    machine.run("nuncio", "resume", "outbox")
    arrived += [*waited, "between two daemons"]
    machine.wait_subjects(*arrived)

    # Removed, it leaves what waits; installed again, it sends that.
    machine.run("nuncio", "pause", "outbox")
    mail(machine, "outlives a removal")
    machine.stop()
    machine.apt("remove", "-q", "-y", "nuncio", "bsd-mailx")
    assert not (machine.root / "usr/sbin/sendmail").exists()
    assert (machine.root / "var/lib/nuncio/queue.db").exists()
    assert machine.version() == f"rc {later}"
    machine.install(machine.take(second))
    check_installed(machine, later)
    machine.start()
    machine.run("nuncio", "resume", "outbox")
    machine.wait_subjects(*arrived, "outlives a removal")

    machine.stop()
    machine.apt("purge", "-q", "-y", "nuncio")
    check_purged(machine)
