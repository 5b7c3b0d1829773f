"""A disk that is full, a database that another process locks, a page of it that is
overwritten: refused or stopped with a sentence, nothing acknowledged lost, and on by
itself where that is possible."""
import base64
import os
import shutil
import sqlite3
import subprocess
import threading
import time

import pytest

import nuncio
import sink as sinks

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="mounts a file system of its own")


@pytest.fixture
def small_disk(folder):
    """The state directory of make_daemon's daemon, on 3 MB."""
    state = folder / "d" / "state"
    state.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3M,mode=0700", "tmpfs", state], check=True)
    yield state
    subprocess.run(["umount", "-l", state], check=True)


def fill(state):
    with open(state / "ballast", "wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            pass
    return state / "ballast"


def send(daemon, to, **more):
    return daemon.call("Send", {"to": [to], "text": "x" * 3000, **more})["id"]


@as_root
def test_a_full_disk_refuses_and_recovers(small_disk, make_daemon, folder):
    daemon = make_daemon(nuncio.outbox(folder / "outbox")).start()
    before = [send(daemon, f"b{n}@example.org", hold=True) for n in range(20)]
    ballast = fill(small_disk)
    taken, refused = [], None
    for n in range(2000):
        try:
            taken.append(send(daemon, f"d{n}@example.org", hold=True))
        except nuncio.VarlinkError as error:
            refused = error
            break
    assert refused and refused.name == "io.nuncio.NotStored" and "the disk is full" in refused.parameters["reason"]
    done = daemon.client("send", "--to", "x@example.org", "--subject", "x", "y" * 5000)
    assert done.returncode == 75 or done.returncode == 64, (done.returncode, done.stderr)
    assert daemon.call("Status")["counts"]["held"] == len(before) + len(taken)
    ballast.unlink()
    after = send(daemon, "after@example.org")
    assert daemon.wait_final(after) == {"after@example.org": "sent"}
    daemon.call("Release", {"select": {"all": True}})
    for identity in before + taken:
        assert set(daemon.wait_final(identity).values()) == {"sent"}
    assert len(nuncio.maildir(folder / "outbox")) == len(before) + len(taken) + 1


def smarthost_config(port, retention):
    return (f'transports = ( {{ name = "mail"; type = "smtp"; tls = "none"; url = "smtp://127.0.0.1:{port}"; }} );\n'
            f'from = "box@example.com";\nretention = "{retention}";\n')


def said(daemon):
    return "\n".join(line for line in daemon.log_text().splitlines() if " debug " not in line)


def send_until_full(daemon, number, **more):
    """Returns who was promised a message, and the refusal."""
    promised = []
    while True:
        to = [f"n{number + len(promised)}-{i}@example.org" for i in range(2)]
        try:
            daemon.call("Send", {"to": to, "subject": "x", "text": "y" * 2000, **more})
        except nuncio.VarlinkError as error:
            assert error.name == "io.nuncio.NotStored" and "the disk is full" in error.parameters["reason"], error
            return [r for mail in promised for r in mail]
        promised.append(to)


def send_again(daemon, number, **more):
    """Until it is taken: there is room when what was sent is forgotten."""
    end = time.monotonic() + nuncio.PATIENCE
    while True:
        try:
            return daemon.call("Send", {"to": [f"n{number}@example.org"], "subject": "x", "text": "y" * 2000, **more})
        except nuncio.VarlinkError as error:
            assert "the disk is full" in str(error) and time.monotonic() < end, said(daemon)
        threading.Event().wait(0.1)


@as_root
@pytest.mark.parametrize("attachment", [0, 200_000])
@pytest.mark.parametrize("others", [False, True])
def test_a_disk_that_the_queue_filled(small_disk, make_daemon, attachment, others):
    """It delivers what it holds, though the disk stays full, forgets it, and takes new messages; twice, for the second
    time finds the database large and empty. Where others take the rest of the disk, it lives on what it has in reserve."""
    subprocess.run(["mount", "-o", "remount,size=24M", small_disk], check=True)
    host = sinks.Sink()
    host.leave()
    more = {"attachments": [{"name": "a", "content": base64.b64encode(bytes(attachment)).decode()}]} if attachment else {}
    daemon = make_daemon(smarthost_config(host.port, "0s")).start()
    life, promised = daemon.process.pid, set()
    for n in range(1 if others else 2):
        promised.update(send_until_full(daemon, 100_000 * n, **more))
        ballast = fill(small_disk) if others else None
        assert daemon.call("Status")["counts"]["queued"] > 0
        host.come_back()
        daemon.call("Probe", {"transport": "mail"})
        assert host.wait_copies(len(promised), nuncio.PATIENCE), (len(host.copies), len(promised), said(daemon))
        if ballast:
            ballast.unlink()
        host.leave()
        send_again(daemon, 100_000 * n + 99_999, **more)
        promised.add(f"n{100_000 * n + 99_999}@example.org")
    host.come_back()
    daemon.call("Probe", {"transport": "mail"})
    assert host.wait_copies(len(promised), nuncio.PATIENCE)
    assert promised == {copy.recipient for copy in host.copies}
    assert len(host.copies) == len(promised)  # none twice
    assert daemon.process.pid == life
    host.stop()


@as_root
def test_a_disk_that_the_queue_filled_through_a_kill(small_disk, make_daemon):
    """It starts on a disk without a free byte, with what was kept in reserve."""
    subprocess.run(["mount", "-o", "remount,size=24M", small_disk], check=True)
    host = sinks.Sink()
    host.leave()
    daemon = make_daemon(smarthost_config(host.port, "0s")).start()
    promised = send_until_full(daemon, 0)
    ballast = fill(small_disk)
    daemon.kill()
    host.come_back()
    daemon.start()
    assert host.wait_copies(len(promised), nuncio.PATIENCE), (len(host.copies), len(promised), said(daemon))
    assert set(promised) == {copy.recipient for copy in host.copies}
    ballast.unlink()
    send_again(daemon, 99_999)
    host.stop()


@as_root
def test_a_full_disk_through_a_kill(small_disk, make_daemon, folder):
    """What was acknowledged before is there after a start that happens while nothing can be written."""
    daemon = make_daemon(nuncio.outbox(folder / "outbox")).start()
    held = [send(daemon, f"b{n}@example.org", hold=True) for n in range(20)]
    ballast = fill(small_disk)
    daemon.kill()
    daemon.start(wait=False)
    try:
        daemon.wait_ready()
    except AssertionError as error:
        assert "the disk is full" in str(error)
        assert daemon.ended() in (71, 78)
        ballast.unlink()
        daemon.start()
    else:
        ballast.unlink()
    assert daemon.call("Status")["counts"]["held"] == len(held)
    assert daemon.states(send(daemon, "x@example.org", hold=True)) == {"x@example.org": "held"}


@as_root
def test_a_read_only_file_system_is_said_at_the_start(small_disk, make_daemon, folder):
    daemon = make_daemon(nuncio.outbox(folder / "outbox")).start()
    identity = send(daemon, "a@example.org", hold=True)
    daemon.stop()
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    daemon.start(wait=False)
    assert daemon.ended() == 78
    assert "Read-only file system" in daemon.log_text()
    subprocess.run(["mount", "-o", "remount,rw", small_disk], check=True)
    daemon.start()
    assert daemon.states(identity) == {"a@example.org": "held"}


@pytest.fixture
def failing_disk(folder):
    """The state directory on a file system of its own that an error in it makes read-only."""
    image, state = folder / "image", folder / "d" / "state"
    state.mkdir(parents=True)
    image.write_bytes(b"")
    os.truncate(image, 48 << 20)
    subprocess.run(["mkfs.ext4", "-q", "-F", image], check=True)
    if subprocess.run(["mount", "-o", "loop,errors=remount-ro", image, state], check=False).returncode:
        pytest.skip("no loop devices here")
    yield image, state
    subprocess.run(["umount", "-l", state], check=False)


def device_of(state):
    with open("/proc/mounts", encoding="utf-8") as mounts:
        return next(line.split()[0] for line in mounts if line.split()[1] == str(state)).rpartition("/")[2]


@as_root
def test_a_file_system_that_becomes_read_only_while_it_runs(failing_disk, make_daemon, folder):
    """No administrator can do that while the database is open: the kernel can, when it finds an error."""
    image, state = failing_disk
    host = sinks.Sink()
    host.leave()
    daemon = make_daemon(smarthost_config(host.port, "1d")).start()
    identities = [send(daemon, f"n{n}@example.org") for n in range(200)]
    assert subprocess.run(["mount", "-o", "remount,ro", state], check=False, stderr=subprocess.DEVNULL).returncode
    with open(f"/sys/fs/ext4/{device_of(state)}/trigger_fs_error", "w", encoding="ascii") as trigger:
        trigger.write("a test")
    error = daemon.error("Send", {"to": ["x@example.org"], "text": "x"})
    assert error.name == "io.nuncio.NotStored" and "Read-only file system" in error.parameters["reason"], error
    assert daemon.states(identities[0]) == {"n0@example.org": "queued"}  # reading goes on
    host.come_back()
    daemon.call("Probe", {"transport": "mail"})  # and nothing is sent that could not be written down
    assert "Read-only file system" in daemon.error("Cancel", {"select": {"message": identities[0]}}).parameters["reason"]
    daemon.stop()
    assert not host.copies

    daemon.start(wait=False)
    assert daemon.ended() == 78
    assert "Read-only file system" in said(daemon).splitlines()[-1]
    subprocess.run(["umount", state], check=True)
    # A copy: the file system itself lives on, read-only, where another test's servers got a mount namespace meanwhile.
    mended = shutil.copy(image, folder / "mended")
    assert subprocess.run(["fsck.ext4", "-p", mended], check=False, stdout=subprocess.DEVNULL).returncode <= 1
    subprocess.run(["mount", "-o", "loop", mended, state], check=True)
    daemon.start()
    assert host.wait_copies(len(identities), nuncio.PATIENCE)
    assert {c.recipient for c in host.copies} == {f"n{n}@example.org" for n in range(200)}
    daemon.stop()
    host.stop()


def test_a_lock_of_another_process_is_said_and_passes(daemon):
    identity = send(daemon, "a@example.org", hold=True)
    other = sqlite3.connect(daemon.state / "queue.db", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    error = daemon.error("Send", {"to": ["b@example.org"], "text": "x"})
    assert error.name == "io.nuncio.NotStored" and "locked by another process" in error.parameters["reason"]
    assert daemon.states(identity) == {"a@example.org": "held"}  # reading goes on
    other.execute("ROLLBACK")
    other.close()
    assert daemon.wait_final(send(daemon, "c@example.org")) == {"c@example.org": "sent"}
    daemon.call("Release", {"select": {"message": identity}})
    assert daemon.wait_final(identity) == {"a@example.org": "sent"}


def overwrite(file):
    with open(file, "r+b") as database:
        size = os.fstat(database.fileno()).st_size
        for page in range(1, size // 4096):
            database.seek(page * 4096)
            database.write(b"\xa5" * 4096)


def test_a_page_overwritten_while_it_is_stopped(daemon):
    for n in range(50):
        send(daemon, f"n{n}@example.org", hold=True)
    daemon.stop()
    copy = (daemon.state / "queue.db").read_bytes()
    overwrite(daemon.state / "queue.db")
    daemon.start(wait=False)
    assert daemon.ended() == 78
    said = daemon.log_text().splitlines()[-1]
    assert "damaged" in said and "put back a copy" in said and "begin anew" in said, said
    (daemon.state / "queue.db").write_bytes(copy)  # as it says
    daemon.start()
    assert daemon.call("Status")["counts"]["held"] == 50


def test_a_page_overwritten_while_it_runs(daemon):
    for n in range(300):
        send(daemon, f"n{n}@example.org", hold=True)
    daemon.stop()
    daemon.start()  # now all of it is in the file, and little in memory
    overwrite(daemon.state / "queue.db")
    reasons = []
    for method, parameters in (("List", {"limit": 500}), ("Cancel", {"select": {"all": True}}),
                               ("Send", {"to": ["x@example.org"], "text": "x", "hold": True})):
        try:
            daemon.call(method, parameters)
        except nuncio.VarlinkError as error:
            assert error.name == "io.nuncio.NotStored"
            reasons.append(error.parameters["reason"])
    assert reasons and all("is damaged: stop nunciod" in reason for reason in reasons), reasons
    daemon.stop()
    daemon.start(wait=False)
    assert daemon.ended() == 78
    assert "put back a copy" in daemon.log_text()


def test_one_page_overwritten_while_much_waits(daemon):
    """What does not need the page goes on; what does is refused with a sentence; nothing starts on it again."""
    with daemon.connect() as v:
        for n in range(3000):
            v.call("Send", {"to": [f"n{n}@example.org"], "text": "x" * 500, "hold": True})
    daemon.stop()
    copy = (daemon.state / "queue.db").read_bytes()
    daemon.start()
    with sqlite3.connect(daemon.state / "queue.db") as other:
        # a leaf of the deliveries in the middle: neither the first nor the last are on it
        [page] = other.execute("SELECT pageno FROM dbstat WHERE name = 'deliveries' AND pagetype = 'leaf'"
                               " ORDER BY path LIMIT 1 OFFSET 40").fetchone()
    other.close()
    with open(daemon.state / "queue.db", "r+b") as database:
        database.seek((page - 1) * 4096)
        database.write(b"\xa5" * 4096)
    new = daemon.call("Send", {"to": ["new@example.org"], "text": "x"})["id"]
    assert daemon.wait_final(new) == {"new@example.org": "sent"}
    error = daemon.error("Cancel", {"select": {"all": True}})
    while "is damaged" not in str(error):  # a page of them at a time
        error = daemon.error("Cancel", {"select": {"all": True}})
    assert error.name == "io.nuncio.NotStored" and "is damaged: stop nunciod" in error.parameters["reason"]
    assert daemon.client("doctor").returncode != 0
    daemon.stop()
    daemon.start(wait=False)
    assert daemon.ended() == 78
    assert "damaged" in said(daemon).splitlines()[-1]
    (daemon.state / "queue.db").write_bytes(copy)  # as it says
    daemon.start()
    assert daemon.call("Status")["counts"]["held"] == 3000
