"""kill -9 around notices of failure: each failure is told, and once."""
import pytest

import nuncio

MAIL = b"From: box@example.com\nSubject: x\n\nbody\n"


@pytest.mark.parametrize("point", ["store.begin", "store.batch", "store.commit", "store.committed"])
def test_killed_in_between(make_daemon, folder, point):
    answers = folder / "answers"
    answers.write_text("*@* 550 5.1.1 no such user\n")
    daemon = make_daemon(f'from = "box@example.com";\n'
                         f'transports = ( {{ name = "local"; type = "maildir"; path = "{folder / "outbox"}"; }},\n'
                         f'  {{ name = "t"; type = "fake"; answers = "{answers}"; }} );\n')
    for count in range(1, 9):
        # the message, its claim, its failure, its notice, the notice's claim, its end
        daemon.environment = {"NUNCIO_CRASH_AT": f"{point}:{count}"}
        daemon.start(wait=False)
        fd = nuncio.sealed_memfd(MAIL)
        asked = {"to": [f"a{count}@example.org"], "descriptor": 0, "by": "t", "key": f"k{count}"}
        try:
            daemon.wait_ready()
            daemon.call("Submit", asked, [fd])
            daemon.process.wait(timeout=nuncio.PATIENCE)
        except (AssertionError, ConnectionError, FileNotFoundError):
            pass
        daemon.ended()
        daemon.environment = {}
        daemon.start()
        daemon.call("Submit", asked, [fd])
        with daemon.connect() as v:
            v.start("Watch", {}, more=True)
            while len(nuncio.maildir(folder / "outbox")) < count:
                v.answer()
        assert daemon.stop() == 0
    told = [str(m.get_payload(1)) for m in nuncio.maildir(folder / "outbox")]
    assert len(told) == 8
    for count in range(1, 9):
        assert sum(f"a{count}@example.org" in t for t in told) == 1
