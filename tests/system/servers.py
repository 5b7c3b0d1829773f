"""servers.py - real mail servers on loopback, for tests: Debian's Postfix, unpacked
into a cache and run in mount and pid namespaces of its own, so that nothing is
installed and several can run at once."""
import contextlib
import fcntl
import functools
import itertools
import json
import os
import pathlib
import random
import select
import shutil
import signal
import socket
import subprocess
import time

import nuncio

CACHE = pathlib.Path(os.environ.get("NUNCIO_TEST_CACHE") or
                     pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "nuncio-tests")
POSTFIX_PACKAGES = ["postfix", "sasl2-bin", "libsasl2-modules", "libsasl2-modules-db", "libsasl2-2", "libdb5.3",
                    "libnsl2", "libtirpc3", "libicu72", "ssl-cert"]


@functools.cache
def own_ports():
    """A hundred ports that no other process of these tests takes, in turn, for ever; and what holds them: a name in
    the abstract namespace, which ends with the process."""
    hundreds = list(range(200, 320))  # below the range the kernel hands out by itself
    random.SystemRandom().shuffle(hundreds)
    held = socket.socket(socket.AF_UNIX)
    for hundred in hundreds:
        try:
            held.bind(f"\0nuncio-tests-ports-{hundred}")
            return held, itertools.cycle(range(hundred * 100, hundred * 100 + 100))
        except OSError:
            continue
    raise RuntimeError("all ports are taken by other tests")


def free_port():
    """A port that is free now, and stays so but for who is not of these tests."""
    for port in own_ports()[1]:
        with socket.socket() as s:
            try:
                s.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


def wait_port(port, process=None):
    end = time.monotonic() + nuncio.PATIENCE
    while time.monotonic() < end:
        with socket.socket() as s:
            s.settimeout(1)
            if s.connect_ex(("127.0.0.1", port)) == 0:
                return
        if process is not None and process.poll() is not None:
            raise RuntimeError(f"server ended with {process.returncode}")
        select_a_moment()
    raise RuntimeError(f"port {port} did not open")


def select_a_moment():
    select.select([], [], [], 0.05)


def unpack(name, packages):
    """Debian's packages, unpacked once: nothing is installed."""
    root = CACHE / name / "root"
    if (CACHE / name / "ready").exists():
        return root
    work = CACHE / f"{name}.{os.getpid()}"
    debs = work / "debs"
    debs.mkdir(parents=True)
    subprocess.run(["apt-get", "-qq", "download", *packages], cwd=debs, check=True)
    for deb in debs.glob("*.deb"):
        subprocess.run(["dpkg", "-x", deb, work / "root"], check=True)
    shutil.rmtree(debs)
    (work / "ready").touch()
    try:
        work.rename(CACHE / name)
    except OSError:  # another run was faster
        shutil.rmtree(work)
    return root


def make_certificates(folder, names="DNS:localhost,IP:127.0.0.1"):
    """A throwaway CA (ca.pem) and a server's key and certificate (server.key, server.pem)."""
    folder.mkdir(parents=True, exist_ok=True)
    def openssl(*arguments):
        subprocess.run(["openssl", *map(str, arguments)], cwd=folder, check=True, capture_output=True)
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
            "-subj", "/CN=test CA", "-keyout", "ca.key", "-out", "ca.pem",
            "-addext", "basicConstraints=critical,CA:TRUE")
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=localhost",
            "-keyout", "server.key", "-out", "server.csr")
    (folder / "extensions").write_text(f"subjectAltName={names}\nbasicConstraints=CA:FALSE\n")
    openssl("x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "30",
            "-extfile", "extensions", "-out", "server.pem")
    for file in folder.iterdir():
        file.chmod(0o644)  # throwaway, and read by the server's user
    return folder / "ca.pem"


MAIN_CF = """\
compatibility_level = 3.6
myhostname = relay.example.test
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
mail_owner = postfix
setgid_group = postdrop
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
data_directory = /var/lib/postfix
queue_directory = /var/spool/postfix
shlib_directory = /usr/lib/postfix
maillog_file = {dir}/mail.log
maillog_file_prefixes = {dir}
smtputf8_enable = yes
alias_maps =
alias_database =
biff = no
default_transport = virtual
virtual_transport = virtual
virtual_mailbox_base = {dir}/mail
virtual_mailbox_maps = static:all/
virtual_uid_maps = static:8902
virtual_gid_maps = static:8902
virtual_mailbox_limit = 0
message_size_limit = 83886080
smtpd_error_sleep_time = 0
smtpd_tls_cert_file = {dir}/tls/server.pem
smtpd_tls_key_file = {dir}/tls/server.key
smtpd_tls_security_level = may
smtpd_tls_auth_only = yes
smtpd_sasl_type = cyrus
smtpd_sasl_path = smtpd
smtpd_sasl_local_domain = localhost
smtpd_sasl_security_options = noanonymous
smtpd_relay_restrictions = permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination
smtpd_recipient_restrictions = check_recipient_access texthash:{dir}/access
"""
MASTER_CF = """\
127.0.0.1:{smtp} inet n - n - - smtpd
127.0.0.1:{submission} inet n - n - - smtpd
    -o smtpd_tls_security_level=encrypt
    -o smtpd_sasl_auth_enable=yes
    -o smtpd_relay_restrictions=permit_sasl_authenticated,reject
127.0.0.1:{smtps} inet n - n - - smtpd
    -o smtpd_tls_wrappermode=yes
    -o smtpd_sasl_auth_enable=yes
    -o smtpd_relay_restrictions=permit_sasl_authenticated,reject
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
proxymap unix - - n - - proxymap
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
"""
ACCESS = """\
defer@example.test 451 4.7.1 Try again later
gone@example.test 550 5.1.1 User unknown
policy@example.test 554 5.7.1 Refused by policy
shutdown@example.test 421 4.3.2 Service going down
"""
BOOT = """\
set -eu
mount -t overlay overlay -o lowerdir={root}/usr:/usr /usr
mkdir -p {dir}/etc/postfix/sasl
cp -a {root}/etc/postfix/. {dir}/etc/postfix/
cp {root}/usr/share/postfix/dynamicmaps.cf {dir}/etc/postfix/
cp {dir}/main.cf {dir}/master.cf {dir}/etc/postfix/
cp {dir}/smtpd.sasl {dir}/etc/postfix/sasl/smtpd.conf
mount -t overlay overlay -o lowerdir={dir}/etc:/etc /etc
mount -t tmpfs tmpfs /var/spool
mount --bind {dir}/varlib /var/lib
mkdir -p /var/spool/postfix /var/lib/postfix
chown postfix /var/lib/postfix
printf alice-secret | saslpasswd2 -p -c -f {dir}/sasldb2 -u example.test alice
chown postfix {dir}/sasldb2
postfix set-permissions create-missing >/dev/null 2>&1 || true
exec postfix start-fg
"""


def descendants(pid):
    """Of a process: those it has now."""
    found = []
    with contextlib.suppress(OSError):
        for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
            for child in map(int, (task / "children").read_text(encoding="ascii").split()):
                found += [child, *descendants(child)]
    return found


def end_of(pid):
    """A file that is readable when the process has ended."""
    try:
        return open(os.pidfd_open(pid), "rb", buffering=0)
    except ProcessLookupError:
        return None


class Server:
    process = None

    def stop(self):
        """All of it is gone, its ports are free."""
        if self.process is not None:
            ends = [end for pid in descendants(self.process.pid) if (end := end_of(pid)) is not None]
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None
            for end in ends:
                with end:
                    poll = select.poll()
                    poll.register(end, select.POLLIN)
                    if not poll.poll(nuncio.PATIENCE * 1000):
                        raise RuntimeError("a process of the server does not end")


class Postfix(Server):
    """A relay that keeps all it takes in the Maildir .maildir; a few addresses are answered otherwise."""
    user, password = "alice@example.test", "alice-secret"
    main_cf, master_cf, boot = MAIN_CF, MASTER_CF, BOOT

    def __init__(self, folder):
        self.folder = folder
        self.smtp, self.submission, self.smtps = free_port(), free_port(), free_port()
        self.maildir = folder / "mail" / "all"
        self.ca = folder / "tls" / "ca.pem"

    def start(self):
        root = unpack("postfix", POSTFIX_PACKAGES)
        for part in ("etc", "varlib", "mail"):
            (self.folder / part).mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o755)
        if not self.ca.exists():
            make_certificates(self.folder / "tls")
        names = dict(dir=self.folder, root=root, smtp=self.smtp, submission=self.submission, smtps=self.smtps)
        (self.folder / "main.cf").write_text(self.main_cf.format(**names))
        (self.folder / "master.cf").write_text(self.master_cf.format(**names))
        (self.folder / "access").write_text(ACCESS)
        (self.folder / "smtpd.sasl").write_text(
            f"pwcheck_method: auxprop\nauxprop_plugin: sasldb\nsasldb_path: {self.folder}/sasldb2\n"
            "mech_list: PLAIN LOGIN SCRAM-SHA-256\n")
        for file, lines in (("passwd", "postfix:x:8901:8901::/:/bin/false\nkeeper:x:8902:8902::/:/bin/false\n"),
                            ("group", "postfix:x:8901:\npostdrop:x:8903:\nkeeper:x:8902:\n")):
            (self.folder / "etc" / file).write_text(pathlib.Path("/etc", file).read_text() + lines)
        os.chown(self.folder / "mail", 8902, 8902)
        (self.folder / "boot").write_text(self.boot.format(**names))
        with open(self.folder / "boot.log", "ab") as log:
            self.process = subprocess.Popen(
                ["unshare", "--mount", "--pid", "--fork", "--kill-child", "bash", self.folder / "boot"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        try:
            for port in (self.smtp, self.submission, self.smtps):
                wait_port(port, self.process)
        except RuntimeError as error:
            raise RuntimeError(f"{error}: {(self.folder / 'boot.log').read_text()[-2000:]}") from error

    def mails(self, message_id=None):
        mails = nuncio.maildir(self.maildir)
        return [m for m in mails if message_id is None or message_id in m["Message-ID"]]


class Oracle(Server):
    """A server run by an outside recipe; env has what its README names."""

    def __init__(self, name, folder, environment):
        self.recipe = nuncio.ORACLES / "imap" / name / "server"
        self.folder = folder
        self.environment = {**os.environ, **environment}
        self.restart()

    def restart(self):
        CACHE.mkdir(parents=True, exist_ok=True)
        with open(CACHE / "oracles.lock", "w", encoding="ascii") as lock:  # unpacking is for one at a time
            fcntl.flock(lock, fcntl.LOCK_EX)
            subprocess.run([self.recipe, "prepare"], check=True, stdout=subprocess.DEVNULL)
        is_new = not (self.folder / "env.json").exists()
        for last in (False, False, True):  # a port that it chose may be somebody's by now
            if subprocess.run([self.recipe, "start", self.folder], env=self.environment, check=last,
                              stdout=subprocess.DEVNULL).returncode == 0:
                break
            if is_new:  # nothing is in it but what half a start left, which hinders the next one
                subprocess.run([self.recipe, "stop", self.folder], check=False, stdout=subprocess.DEVNULL)
                shutil.rmtree(self.folder, ignore_errors=True)
        self.env = json.loads((self.folder / "env.json").read_text())

    def stop(self):
        subprocess.run([self.recipe, "stop", self.folder], check=True, stdout=subprocess.DEVNULL)

    def mails(self, message_id=None):
        mails = nuncio.maildir(self.env["MAILDIR"])
        return [m for m in mails if message_id is None or message_id in (m["Message-ID"] or "")]
