"""Programs that know nothing of nuncio, as Debian ships them, with nuncio in the place of
/usr/sbin/sendmail: in a mount namespace of its own, nothing is installed."""
import os
import pathlib
import shutil
import signal
import subprocess

import pytest

import nuncio
import servers

PACKAGES = ["cron", "bsd-mailx", "liblockfile1", "git-email", "libmailtools-perl", "smartmontools"]
CONFIG = """
from = "Home server <box@example.com>";
contacts = ( { name = "root"; mail = ["root@host.example.org"]; } );
"""


class Machine:
    """This machine with those programs laid over it, and a daemon at its usual socket."""

    def __init__(self, daemon, outbox, folder):
        self.daemon, self.outbox, self.folder = daemon, outbox, folder
        self.root = pathlib.Path(servers.unpack("callers", PACKAGES))
        self.links = folder / "links"
        for name in ("sbin/sendmail", "lib/sendmail"):
            path = self.links / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.symlink_to(nuncio.BUILD / "client" / "nuncio")
        (self.links / "bin").mkdir()
        (self.links / "bin" / "mail").symlink_to("bsd-mailx")

    def command(self, script, *arguments):
        laid = (f"mount --make-rprivate / && "
                f"mount -t overlay overlay -o lowerdir={self.links}:{self.root}/usr:/usr /usr && "
                f"mount -t overlay overlay -o lowerdir={self.root}/etc:/etc /etc && "
                f"mount -t tmpfs tmpfs /var/spool && mount -t tmpfs tmpfs /run && mkdir /run/nuncio && "
                f"mount --bind {self.daemon.folder} /run/nuncio && ")
        return ["unshare", "--mount", "--pid", "--fork", "--mount-proc", "--kill-child",
                "sh", "-ec", laid + script, "sh", *arguments]

    def run(self, script, *arguments, input=None, env=None):
        environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": str(self.folder), "LC_ALL": "C.UTF-8",
                       "LD_LIBRARY_PATH": f"{self.root}/usr/lib/x86_64-linux-gnu", **(env or {})}
        done = subprocess.run(self.command(script, *arguments), input=input, capture_output=True, env=environment,
                              cwd=self.folder, timeout=nuncio.PATIENCE, check=False)
        assert done.returncode == 0, (done.stdout, done.stderr)
        return done

    def delivered(self, identity=1):
        """The one mail that came of it, and its recipients."""
        with self.daemon.connect() as v:
            v.start("Watch", {}, more=True)
            while not nuncio.maildir(self.outbox):
                v.answer()
        states = self.daemon.wait_final(identity)
        assert set(states.values()) == {"sent"}
        return nuncio.maildir(self.outbox)[0], sorted(states)


@pytest.fixture
def machine(make_daemon, folder):
    if os.geteuid() != 0:
        pytest.skip("only root may lay programs over the machine")
    if not shutil.which("apt-get") or not shutil.which("unshare"):
        pytest.skip("neither apt-get nor unshare: this is not Debian")
    try:
        m = Machine(make_daemon(CONFIG + nuncio.outbox(folder / "outbox")), folder / "outbox", folder)
    except subprocess.CalledProcessError as error:
        pytest.skip(f"Debian's packages are not to be had: {error}")
    if subprocess.run(m.command("true"), capture_output=True, check=False).returncode:
        pytest.skip("the kernel lays no file systems over others here")
    m.daemon.start()
    return m


def test_mail(machine):
    machine.run('echo "all is well" | mail -s "A subject" ops@example.org root')
    mail, recipients = machine.delivered()
    assert mail["Subject"] == "A subject" and mail.get_content().strip() == "all is well"
    assert recipients == ["ops@example.org", "root@host.example.org"]


def test_cron(machine):
    script = """mkdir -p /var/spool/cron/crontabs; chmod 1730 /var/spool/cron/crontabs
                printf '@reboot echo out of cron\\n' >/var/spool/cron/crontabs/root
                chmod 600 /var/spool/cron/crontabs/root; exec cron -f -L 15"""
    environment = {**os.environ, "LD_LIBRARY_PATH": f"{machine.root}/usr/lib/x86_64-linux-gnu"}
    with subprocess.Popen(machine.command(script), env=environment, stdin=subprocess.DEVNULL) as cron:
        try:
            mail, recipients = machine.delivered()
        finally:
            cron.send_signal(signal.SIGKILL)
    assert recipients == ["root@host.example.org"]
    assert mail.get_content().strip() == "out of cron" and "echo out of cron" in mail["Subject"]
    assert mail["From"].addresses[0].addr_spec == "box@example.com"


def test_git_send_email(machine):
    git = machine.folder / "work"
    script = """git init -q work; cd work; git config user.name A; git config user.email box@example.com
                echo x >file; git add file; git commit -q -m 'file: there is one'
                git format-patch -q -1
                git send-email --quiet --confirm=never --to=list@example.org --cc=me@example.org 0001-*.patch"""
    machine.run(script)
    assert git.is_dir()
    mail, recipients = machine.delivered()
    assert recipients == ["box@example.com", "list@example.org", "me@example.org"]
    assert mail["Subject"] == "[PATCH] file: there is one" and "+x" in mail.get_content()


def test_smartd(machine):
    """Its warning script, called as smartd calls it."""
    warning = b"This message was generated by the smartd daemon.\nDevice: /dev/sda, FAILED SMART self-check.\n"
    machine.run('exec /usr/share/smartmontools/smartd-runner "$@"', "-s", "SMART error (Health)", "root", input=warning)
    mail, recipients = machine.delivered()
    assert recipients == ["root@host.example.org"] and mail["Subject"] == "SMART error (Health)"
    assert "FAILED SMART self-check" in mail.get_content()
