"""Fixtures of the system and crash rings: daemons and servers that end with their test,
and a daemon must end well and leak nothing."""
import pathlib
import shutil
import tempfile

import pytest

import hostile
import nuncio
import servers


@pytest.fixture
def folder():
    """A temporary folder with a short name that other users can pass through."""
    path = pathlib.Path(tempfile.mkdtemp(prefix="nuncio-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def make_daemon(folder):
    made = []

    def make(config, name="d", **kw):
        daemon = nuncio.Daemon(folder / name, config, **kw)
        made.append(daemon)
        return daemon

    yield make
    for daemon in made:
        daemon.stop()
        log = daemon.log_text()
        for sign in ("Sanitizer", "runtime error:"):
            assert sign not in log, log[log.index(sign) - 200:][:6000]


@pytest.fixture
def make_server():
    """make_server({"RCPT": hostile.close}): one that misbehaves by plan (hostile.py)."""
    made = []

    def make(plan=None, **kw):
        made.append(hostile.Server(plan, **kw))
        return made[-1]

    yield make
    for server in made:
        server.stop()


@pytest.fixture
def daemon(make_daemon, folder):
    """The embedded default: all mail into one Maildir."""
    d = make_daemon('from = "Home server <box@example.com>";\n' + nuncio.outbox(folder / "outbox"))
    d.outbox = folder / "outbox"
    return d.start()


@pytest.fixture(scope="session")
def session_folder():
    path = pathlib.Path(tempfile.mkdtemp(prefix="nuncio-servers-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="session")
def postfix(session_folder):
    server = servers.Postfix(session_folder / "postfix")
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def oracle(session_folder):
    """oracle("exim", TLS_VARIANT="expired"): a real server by an outside recipe."""
    if not nuncio.ORACLES.is_dir():
        pytest.skip("no oracles beside this clone")
    started = {}

    def start(name, **environment):
        key = (name, tuple(sorted(environment.items())))
        if key not in started:
            started[key] = servers.Oracle(name, session_folder / f"oracle{len(started)}", environment)
        return started[key]

    yield start
    for server in started.values():
        server.stop()
