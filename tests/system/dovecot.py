"""dovecot.py - Debian's Dovecot on loopback, unpacked and run in namespaces of its own as servers.py
does it for Postfix: IMAP with STARTTLS, IMAPS, and LMTP to deliver by."""
import contextlib
import os
import signal
import smtplib
import subprocess

import servers

PACKAGES = ["dovecot-core", "dovecot-imapd", "dovecot-lmtpd", "libexttextcat-2.0-0", "libexttextcat-data", "libstemmer0d",
            "liblua5.3-0", "libsodium23", "libapparmor1", "libicu72", "libwrap0", "libnsl2", "libtirpc3"]
VMAIL = 8913
CONFIG = """\
base_dir = /run/dovecot
state_dir = /var/lib/dovecot
log_path = {dir}/dovecot.log
protocols = imap lmtp
listen = {listen}
ssl = yes
ssl_cert = <{dir}/tls/server.pem
ssl_key = <{dir}/tls/server.key
ssl_min_protocol = TLSv1.2
auth_mechanisms = plain login scram-sha-256
auth_failure_delay = 0 secs
mail_location = maildir:{dir}/mail/%u
mail_uid = vmail
mail_gid = vmail
first_valid_uid = 1
mail_max_userip_connections = 5000
mailbox_idle_check_interval = 1 secs
namespace inbox {{
  inbox = yes
  separator = /
  mailbox Trash {{
    auto = create
    special_use = \\Trash
  }}
}}
passdb {{
  driver = passwd-file
  args = scheme=PLAIN username_format=%u {dir}/users
}}
userdb {{
  driver = static
  args = uid=vmail gid=vmail home={dir}/mail/%u/home allow_all_users=yes
}}
service imap-login {{
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = {imaps}
    ssl = yes
  }}
}}
service lmtp {{
  user = vmail
  inet_listener lmtp {{
    address = {listen}
    port = {lmtp}
  }}
}}
"""
BOOT = """\
set -eu
mount -t overlay overlay -o lowerdir={root}/usr:/usr /usr
cp -a {root}/etc/. {dir}/etc/
mount -t overlay overlay -o lowerdir={dir}/etc:/etc /etc
mount -t tmpfs tmpfs /run
mount --bind {dir}/varlib /var/lib
mkdir -p /run/dovecot /var/lib/dovecot
exec /usr/sbin/dovecot -F -c {dir}/dovecot.conf
"""


class Dovecot(servers.Server):
    """Two users; the second one's password wants quoting."""
    names = "DNS:localhost,IP:127.0.0.1"
    users = {"alice@example.test": "alice-secret", "bob@example.test": 'b"o\\b pa{ss'}

    def __init__(self, folder, listen="127.0.0.1", within=()):
        """within: a command that the server is run by, in a network of its own."""
        self.folder, self.listen, self.within = folder, listen, within
        self.users = dict(self.users)
        self.imap, self.imaps, self.lmtp = servers.free_port(), servers.free_port(), servers.free_port()
        self.ca = folder / "tls" / "ca.pem"

    def start(self):
        root = servers.unpack("dovecot", PACKAGES)
        for part in ("etc", "varlib", "mail"):
            (self.folder / part).mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o755)
        for left in (self.folder / "mail").rglob("*.lock"):  # by one that was killed: its pid is another's now
            left.unlink()
        if not self.ca.exists():
            servers.make_certificates(self.folder / "tls", self.names)
        names = dict(dir=self.folder, root=root, imap=self.imap, imaps=self.imaps, lmtp=self.lmtp,
                     listen=self.listen)
        (self.folder / "dovecot.conf").write_text(CONFIG.format(**names))
        self.write_users()
        for file, lines in (("passwd", "dovecot:x:8911:8911::/:/bin/false\ndovenull:x:8912:8912::/:/bin/false\n"
                                       "vmail:x:8913:8913::/:/bin/false\n"),
                            ("group", "dovecot:x:8911:\ndovenull:x:8912:\nvmail:x:8913:\n")):
            own = (servers.pathlib.Path("/etc") / file).read_text()
            (self.folder / "etc" / file).write_text(own + lines)
        os.chown(self.folder / "mail", VMAIL, VMAIL)
        (self.folder / "boot").write_text(BOOT.format(**names))
        with open(self.folder / "boot.log", "ab") as log:
            self.process = subprocess.Popen(
                [*self.within, "unshare", "--mount", "--pid", "--fork", "--kill-child", "bash", self.folder / "boot"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        try:
            for port in (self.imap, self.imaps, self.lmtp):
                self.wait_port(port)
        except RuntimeError as error:
            raise RuntimeError(f"{error}: {(self.folder / 'boot.log').read_text()[-2000:]}") from error

    def wait_port(self, port):
        servers.wait_port(port, self.process)

    def write_users(self):
        (self.folder / "users").write_text("".join(f"{u}:{{PLAIN}}{p}::::::\n" for u, p in self.users.items()))

    def deliverer(self):
        return Deliverer(self.lmtp)

    def drop(self, user, mail, name):
        """Into the user's Maildir, as a delivery does that needs no server."""
        new = self.folder / "mail" / user / "new"
        for path in (new.parent, new):
            if not path.exists():
                path.mkdir()
                os.chown(path, VMAIL, VMAIL)
        made = new.parent / f"{name}.made"
        made.write_bytes(mail)
        os.chown(made, VMAIL, VMAIL)
        made.rename(new / name)

    def sessions(self):
        """The processes that serve a logged in client each."""
        found = []
        for pid in servers.descendants(self.process.pid):
            with contextlib.suppress(OSError), open(f"/proc/{pid}/comm", encoding="ascii") as comm:
                found += [pid] if comm.read() == "imap\n" else []
        return found

    def end_sessions(self, signo=signal.SIGTERM):
        """SIGTERM: each says BYE and hangs up."""
        for pid in self.sessions():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signo)


class Deliverer:
    """One LMTP session; numbers what it delivers in the subject."""

    def __init__(self, port, host="127.0.0.1"):
        self.session = smtplib.LMTP(host, port)
        self.session.helo("test.example")

    def deliver(self, user, subject, text="body\r\n"):
        self.session.sendmail("sender@example.test", [user], f"Subject: {subject}\r\n\r\n{text}")

    def close(self):
        self.session.quit()
