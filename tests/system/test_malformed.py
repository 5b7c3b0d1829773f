"""Ten thousand requests that are wrong, peers that stall, and a daemon that does not care."""
import json
import os
import random
import signal
import socket

import pytest

import nuncio

COUNT = 10_000

GOOD = [
    {"method": "io.nuncio.Send", "parameters": {"to": ["a@example.org"], "subject": "s", "text": "t", "at": "1d",
                                                "attachments": [{"name": "n", "content": "QUJD"}]}},
    {"method": "io.nuncio.Submit", "parameters": {"to": ["a@example.org"], "content": "U3ViamVjdDogeAoKeAo=",
                                                  "at": "1d"}},
    {"method": "io.nuncio.List", "parameters": {"states": ["queued"], "limit": 3}},
    {"method": "io.nuncio.Show", "parameters": {"id": 1}},
    {"method": "io.nuncio.Cancel", "parameters": {"select": {"message": 99999}}},
    {"method": "io.nuncio.Watch", "parameters": {"id": 99999}, "more": True},
    {"method": "io.nuncio.Status"},
    {"method": "org.varlink.service.GetInterfaceDescription", "parameters": {"interface": "io.nuncio"}},
]
ODD = [None, True, -1, 0, 2**31, 2**63 - 1, 2**64, 1.5, "", "x" * 5000, "\u0000", "\ud800", "a\r\nb", [], [[]], {}, {"a": 1},
       ["a@example.org"] * 2000, "Größe", "../../etc/passwd", "%s%n", [None], [1], {"name": "x"}]


def mutate_value(chance, value):
    """Something in it becomes something odd."""
    if isinstance(value, dict) and value and chance.random() < 0.85:
        key = chance.choice(list(value))
        what = chance.random()
        if what < 0.15:
            return {k: v for k, v in value.items() if k != key}
        if what < 0.25:
            return {**value, chance.choice(["x", "", "to", "method", "parameters", key.upper()]): chance.choice(ODD)}
        return {**value, key: mutate_value(chance, value[key])}
    if isinstance(value, list) and value and chance.random() < 0.6:
        at = chance.randrange(len(value))
        return value[:at] + [mutate_value(chance, value[at])] + value[at + 1:]
    return chance.choice(ODD)


def mutate_bytes(chance, data):
    data = bytearray(data)
    for _ in range(chance.choice([1, 1, 2, 5, 20])):
        at = chance.randrange(len(data))
        what = chance.random()
        if what < 0.4:
            data[at] = chance.randrange(256)
        elif what < 0.6:
            del data[at:at + chance.randrange(1, 10)]
        elif what < 0.8:
            data[at:at] = chance.choice([b"{", b"}", b"\"", b"\\", b"\0", b"\n", b"[", b"\xff", b"\\u0000", b",", b"1e999"])
        else:
            data[at:at] = bytes(chance.randrange(256) for _ in range(chance.randrange(1, 30)))
        if not data:
            break
    return bytes(data)


def drain(peer):
    """Reads until the daemon has said all and closed."""
    total = b""
    while True:
        try:
            more = peer.recv(1 << 16)
        except ConnectionResetError:
            return total
        if not more:
            return total
        total += more


def test_ten_thousand_malformed_requests(daemon):
    seed = int(os.environ.get("NUNCIO_SEED", random.SystemRandom().randrange(10**9)))
    print("seed", seed)
    chance = random.Random(seed)
    answered = 0
    for number in range(COUNT):
        call = chance.choice(GOOD)
        if chance.random() < 0.6:
            data = json.dumps(mutate_value(chance, call)).encode("utf-8", "surrogatepass")
        else:
            data = mutate_bytes(chance, json.dumps(call).encode())
        data += chance.choice([b"\0", b"\n", b"", b"\0\0", b"\r\n"])
        with socket.socket(socket.AF_UNIX) as peer:
            peer.settimeout(nuncio.PATIENCE)
            peer.connect(str(daemon.socket))
            try:
                peer.sendall(data)
                peer.shutdown(socket.SHUT_WR)
            except (BrokenPipeError, OSError):
                pass
            if chance.random() < 0.9 and b"Watch" not in data:
                try:
                    said = drain(peer)  # it ends: no request leaves a peer waiting
                except TimeoutError as error:
                    raise AssertionError(f"no end after {data!r}") from error
                for frame in said.replace(b"\n", b"\0").split(b"\0"):
                    if frame.strip():
                        reply = json.loads(frame)
                        assert "error" in reply or "parameters" in reply
                        answered += 1
        if number % 1000 == 999:
            assert daemon.call("Status")["pid"] == daemon.process.pid
    assert answered > COUNT / 2
    identity = daemon.call("Send", {"to": ["still@example.org"], "text": "alive"})["id"]
    assert daemon.wait_final(identity) == {"still@example.org": "sent"}


def test_silent_and_half_spoken_peers_cost_only_their_socket(daemon):
    peers = []
    for n in range(100):
        peer = socket.socket(socket.AF_UNIX)
        peer.connect(str(daemon.socket))
        peer.sendall([b"", b'{"method":', b'{"method":"io.nuncio.Send","parameters":{"to":["a'][n % 3])
        peers.append(peer)
    assert daemon.call("Status")["pid"] == daemon.process.pid
    for peer in peers:
        peer.close()


def test_a_peer_that_never_reads_stalls_nobody(daemon):
    deaf = socket.socket(socket.AF_UNIX)
    deaf.connect(str(daemon.socket))
    deaf.setblocking(False)
    call = b'{"method":"org.varlink.service.GetInterfaceDescription","parameters":{"interface":"io.nuncio"}}\0'
    sent = 0
    try:
        while sent < 200_000_000:
            sent += deaf.send(call * 100)
    except BlockingIOError:
        pass  # the daemon has stopped reading from it
    assert sent < 50_000_000
    for _ in range(20):
        assert daemon.call("Status")["pid"] == daemon.process.pid
    deaf.close()


def test_a_burst_of_connections_waits_for_a_busy_daemon(daemon):
    """One that does not wait for connect() must not be refused because others came first."""
    daemon.process.send_signal(signal.SIGSTOP)
    try:
        peers = []
        for _ in range(150):
            peer = socket.socket(socket.AF_UNIX)
            peer.setblocking(False)
            peer.connect(str(daemon.socket))
            peers.append(peer)
    finally:
        daemon.process.send_signal(signal.SIGCONT)
    for peer in peers:
        peer.settimeout(nuncio.PATIENCE)
        peer.sendall(b'{"method":"io.nuncio.Status"}\n')
        assert b"version" in peer.recv(65536)
        peer.close()


def test_too_many_peers_are_told(make_daemon, folder):
    d = make_daemon("limits = { peers = 50; peers_per_uid = 10; };\n" + nuncio.outbox(folder / "outbox")).start()
    peers = [d.connect() for _ in range(10)]
    for peer in peers:
        peer.call("Status")
    with d.connect() as eleventh:
        reply = eleventh.read_raw()
    assert reply["error"] == "io.nuncio.OverLimit" and reply["parameters"]["limit"] == 10
    peers.pop().close()
    for peer in peers:
        peer.call("Status")
        peer.close()


@pytest.mark.parametrize("text, said", [
    ('{"method":"io.nuncio.Send","parameters":{"to":["me@example.org"],"text":"one\ntwo"}}\n', "is written \\n."),
    ("[1]\n", "is a JSON object"), ("{}x\n", "is a JSON object"), ("{" * 65, "is a JSON object")])
def test_what_is_no_request_hears_what_would_be(daemon, text, said):
    with socket.socket(socket.AF_UNIX) as peer:
        peer.settimeout(nuncio.PATIENCE)
        peer.connect(str(daemon.socket))
        peer.sendall(text.encode())
        answer = json.loads(peer.makefile("rb").read().rstrip(b"\0\n"))
    assert answer["error"] == "io.nuncio.BadMessage" and said in answer["parameters"]["reason"]


def test_an_oversize_request_is_told_and_closed(daemon):
    with daemon.connect() as v:
        v.send_raw(b'{"method":"io.nuncio.Send","parameters":{"text":"' + b"x" * 4_000_000)
        try:
            v.send_raw(b"x" * 2_000_000)
        except OSError:
            pass
        try:
            reply = v.read_raw()
            assert "error" in reply
        except ConnectionError:
            pass
    assert daemon.call("Status")["pid"] == daemon.process.pid


def test_descriptors_that_are_not_as_they_should(daemon):
    sealed, unsealed = nuncio.sealed_memfd(b"x"), nuncio.sealed_memfd(b"x", seal=False)
    regular = os.open("/etc/passwd", os.O_RDONLY)
    reader, writer = os.pipe()
    asked = {"to": ["a@example.org"], "attachments": [{"name": "n", "descriptor": 0}]}
    for fd in (unsealed, regular, reader):
        error = daemon.error("Send", asked, [fd])
        assert error.name == "io.nuncio.BadMessage" and "seal" in error.parameters["reason"], error
    for fds in ([], [sealed, sealed]):  # missing, or undeclared
        with daemon.connect() as v:
            v.start("Send", asked, fds)
            try:
                v.answer()
                assert len(fds) == 2  # answered, but the undeclared one ends the connection
            except (nuncio.VarlinkError, ConnectionError):
                assert len(fds) < 2
            try:
                v.call("Status")
                raise AssertionError(f"still open after {fds}")
            except (ConnectionError, BrokenPipeError):
                pass
            except nuncio.VarlinkError as error:  # it says why, then closes
                assert error.parameters["field"] == "descriptor"
    with daemon.connect() as v:
        v.start("Send", {**asked, "attachments": [{"name": "n", "descriptor": 1}, {"name": "m", "descriptor": 0}]},
                [sealed, sealed])
        identity = v.answer()["parameters"]["id"]
    assert daemon.wait_final(identity) == {"a@example.org": "sent"}
    for fd in (sealed, unsealed, regular, reader, writer):
        os.close(fd)


def test_descriptors_do_not_pile_up(daemon):
    def count():
        return len(os.listdir(f"/proc/{daemon.process.pid}/fd"))
    daemon.call("Status")
    before = count()
    fd = nuncio.sealed_memfd(b"x" * 100_000)
    for n in range(300):
        with daemon.connect() as v:
            v.start("Send" if n % 2 else "Nothing", {"to": ["a@example.org"], "at": "1d",
                                                     "attachments": [{"name": "n", "descriptor": 0}]}, [fd])
            if n % 3:
                try:
                    v.answer()
                except (nuncio.VarlinkError, ConnectionError):
                    pass
    os.close(fd)
    daemon.call("Status")
    assert count() <= before + 2
