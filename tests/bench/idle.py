#!/usr/bin/python3
"""idle.py - many mailboxes in IDLE in one nunciod, on Debian's Dovecot over TLS: memory for each, and
what it costs while nothing happens.

  NUNCIO_BUILD=build-release tests/bench/idle.py [MAILBOXES [SECONDS]]"""
import os
import pathlib
import resource
import shutil
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "system"))
from parties import memory_of  # noqa: E402 pylint: disable=wrong-import-position
import dovecot  # noqa: E402 pylint: disable=wrong-import-position
import nuncio  # noqa: E402 pylint: disable=wrong-import-position
import servers  # noqa: E402 pylint: disable=wrong-import-position

PATIENCE_S = 180
MORE = """\
default_process_limit = 10000
default_client_limit = 20000
default_vsz_limit = 0
service imap {{
  process_limit = 10000
  client_limit = 100
  service_count = 1
}}
service imap-login {{
  service_count = 0
  process_min_avail = 2
}}
service anvil {{
  client_limit = 40000
}}
service auth {{
  client_limit = 40000
}}
"""


def config(server, folder, mailboxes):
    rows = ",\n".join(f'{{ name = "m{n}"; type = "imap"; url = "imaps://localhost:{server.imaps}"; user = "u@example.test"; '
                      f'password = "secret"; ca_file = "{server.ca}"; authserv = "none"; }}' for n in range(mailboxes))
    return f'from = "Box <box@example.com>";\n{nuncio.outbox(folder / "outbox")}mailboxes = (\n{rows}\n);\n'


def cpu_s(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def watching(daemon):
    return sum(m["state"] == "watching" for m in daemon.call("Status")["mailboxes"])


def run(folder, server, mailboxes):
    daemon = nuncio.Daemon(folder / f"d{mailboxes}", config(server, folder, mailboxes))
    daemon.options = []
    begun = time.monotonic()
    daemon.start()
    up = 0
    while up < mailboxes and time.monotonic() - begun < PATIENCE_S:
        threading.Event().wait(0.5)
        up = watching(daemon)
    print(f"{up} of {mailboxes} watched after {time.monotonic() - begun:.1f} s", flush=True)
    return daemon, up


def main(mailboxes=2000, seconds=60):
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="nuncio-idle-"))
    folder.chmod(0o755)
    dovecot.CONFIG += MORE
    server = dovecot.Dovecot(folder / "dovecot")
    server.folder.mkdir()
    server.users = {"u@example.test": "secret"}
    daemon = None
    try:
        server.start()
        daemon, _ = run(folder, server, 1)
        servers.select_a_moment()
        _, base = memory_of([daemon.process.pid])
        daemon.stop()
        daemon, up = run(folder, server, mailboxes)
        before, begun = cpu_s(daemon.process.pid), time.monotonic()
        threading.Event().wait(seconds)
        spent, passed = cpu_s(daemon.process.pid) - before, time.monotonic() - begun
        _, dirty = memory_of([daemon.process.pid])
        print(f"Private_Dirty: {base} KiB with one, {dirty} KiB with {up}: {(dirty - base) / max(1, up - 1):.1f} KiB each")
        print(f"CPU at rest: {spent:.2f} s in {passed:.0f} s ({100 * spent / passed:.2f} % of one)")
    finally:
        if daemon and daemon.process:
            daemon.kill()
        server.stop()
        shutil.rmtree(folder)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
