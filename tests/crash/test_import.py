"""kill -9 while mails are taken from the drop directory: none is lost, none sent twice."""
import pytest

import nuncio
import test_drop


@pytest.mark.parametrize("point", ["store.begin", "store.commit", "store.committed", "import.answered"])
def test_killed_in_between(make_daemon, folder, point):
    drop = test_drop.Drop(make_daemon(test_drop.CONFIG + nuncio.outbox(folder / "outbox")), folder / "outbox")
    drop.make()
    n = 40
    for i in range(n):
        (drop.path / f"m{i}").write_bytes(test_drop.spool(f"m{i}", f"a{i}@example.org"))
    for count in (1, 2, 3):
        drop.daemon.environment = {"NUNCIO_CRASH_AT": f"{point}:{count}"}
        drop.daemon.start(wait=False)
        drop.daemon.ended()
    drop.daemon.environment = {}
    drop.daemon.start()
    drop.wait_empty()
    drop.wait(lambda: len(drop.daemon.call("List", {"limit": 500})["deliveries"]) == n, "not all are there")
    drop.wait_mails(n)
    assert drop.aside() == []
