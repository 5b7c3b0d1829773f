"""nuncio text and nuncio run, as people type them."""
import concurrent.futures
import json
import os
import signal
import subprocess
import sys

import pytest

import nuncio

VECTORS = nuncio.ORACLES / "sms" / "vectors.json"
CONTACTS = 'contacts = ( { name = "me"; mail = ["me@example.org"]; sms = "+15559998888"; } );\n'


def dry(text, *options):
    done = subprocess.run([nuncio.BUILD / "client" / "nuncio", "text", "--dry-run", "--json", *options], input=text.encode(),
                          capture_output=True, timeout=30)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.skipif(not VECTORS.exists(), reason="the oracles are not beside this clone")
def test_alphabets_and_segments_as_others_count_them():
    """Where the two judges differ, both count the same units; ours keeps what a reader sees as
    one character whole at a seam, as Twilio's own calculator does. The client leaves NULs out of
    what it reads: that vector is in tests/unit/test_segments.c."""
    vectors = [v for v in json.loads(VECTORS.read_text()) if "\0" not in v["text"]]
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda v: dry(v["text"], "--exact"), vectors))
    wrong = [v["id"] for v, a in zip(vectors, answers)
             if (a["encoding"], a["units"], a["segments"]) != (v["encoding"], v["units"], v["segments"])]
    assert len(vectors) == 459 and not wrong


def test_what_a_text_would_take():
    assert dry("It’s done — at 5…")["text"] == "It's done - at 5..."
    assert dry("It’s", "--exact")["encoding"] == "UCS-2"
    answer = dry("x" * 161, "--price", "0.01")
    assert (answer["segments"], answer["price"]) == (2, 0.02)
    assert dry("x", "--price", "0.0079 USD")["currency"] == "USD"


def test_what_goes_with_pictures_is_no_text(make_daemon):
    answer = dry("x" * 161, "--media", "https://example.com/a.png", "--media", "https://example.com/b.png")
    assert (answer["mms"], answer["segments"], len(answer["media"])) == (True, 1, 2) and "price" not in answer
    assert dry("x" * 161, "--media", "https://example.com/a.png", "--price", "0.02 USD")["price"] == 0.02
    d = make_daemon(CONTACTS + f'carriers = "{nuncio.SOURCE}/conf/carriers.conf";\n' + '''transports = ( { name = "mail"; type = "smtp"; url = "smtp://127.0.0.1:9"; tls = "none"; },
        { name = "sms"; type = "twilio"; account_sid = "AC0123456789abcdef0123456789abcdef"; auth_token = "secret";
          from = "+15017122661"; api = "http://127.0.0.1:9"; price = "0.0079 USD"; },
        { name = "cell"; type = "carrier"; via = "mail"; carrier = "verizon"; } );\n''').start()
    said = d.client("text", "--dry-run", "--media", "https://example.com/a.png", "See")
    assert said.stdout == "See\nMMS with 1 medium\n", said.stderr
    said = d.client("text", "--dry-run", "--by", "cell", "--media", "https://example.com/a.png", "See")
    assert said.stdout == "See\nhttps://example.com/a.png\nGSM-7, 29 septets, 1 segment\n", said.stderr


def test_what_it_would_cost_is_in_the_configuration(make_daemon, folder):
    """With a daemon by its configuration, without one no price is said, and --price wins."""
    d = make_daemon('''transports = ( { name = "sms"; type = "twilio"; account_sid = "AC0123456789abcdef0123456789abcdef";
        auth_token = "secret"; from = "+15017122661"; api = "http://127.0.0.1:9"; price = "0.0079 USD"; } );\n''').start()
    answer = json.loads(d.client("text", "--dry-run", "--json", "x" * 161).stdout)
    assert (answer["segments"], answer["price"], answer["currency"]) == (2, 0.0158, "USD")
    assert "about 0.0158 USD" in d.client("text", "--dry-run", "x" * 161).stdout
    assert json.loads(d.client("text", "--dry-run", "--json", "--price", "1", "x").stdout)["price"] == 1.0
    none = json.loads(d.client("--socket", folder / "none", "text", "--dry-run", "--json", "x").stdout)
    assert "price" not in none and none["segments"] == 1
    assert d.call("Status")["transports"][0]["price"] == "0.0079 USD"


def start(make_daemon, folder):
    d = make_daemon(CONTACTS + nuncio.outbox(folder / "outbox")).start()
    d.outbox = folder / "outbox"
    return d


def test_text_from_standard_input_is_text_whatever_it_says(make_daemon, folder):
    d = start(make_daemon, folder)
    assert d.client("text", "--by", "mail", "--wait", input="-").returncode == 0
    assert told(d)[1].strip() == "-"


def test_an_empty_text_is_not_sent(make_daemon, folder):
    d = start(make_daemon, folder)
    done = d.client("text", "--by", "mail", "")
    assert done.returncode == 64 and "empty" in done.stderr
    for empty in ("", "\n"):
        done = d.client("text", "--by", "mail", input=empty)
        assert done.returncode == 65 and "no text" in done.stderr
    assert d.client("queue", "--all").stdout == ""


def told(d):
    """The one mail that was sent, once it has been."""
    done = d.client("watch", "1")
    assert done.returncode == 0, done.stderr
    [mail] = nuncio.maildir(d.outbox)
    return mail["Subject"], mail.get_content().replace("\r\n", "\n")


def test_run_tells_how_it_ended(make_daemon, folder):
    d = start(make_daemon, folder)
    done = d.client("run", "--by", "mail", "--", "sh", "-c", "echo out; echo err >&2; exit 3")
    assert (done.returncode, done.stdout, done.stderr) == (3, "out\n", "err\n")
    subject, text = told(d)
    assert subject.startswith("sh: failed with status 3 after ")
    assert "out\n" in text and "err\n" in text and "failed with status 3" in text


def test_run_keeps_the_last_of_much_output(make_daemon, folder):
    d = start(make_daemon, folder)
    done = d.client("run", "--by", "mail", "--", "seq", "100000")
    assert done.returncode == 0 and done.stdout.endswith("99999\n100000\n") and done.stdout.startswith("1\n2\n")
    subject, text = told(d)
    assert subject.startswith("seq: done after") and "[...]" in text and "99999\n100000\n" in text
    assert len(text) < 5000


def test_run_passes_signals_and_missing_programs_on(make_daemon, folder):
    d = start(make_daemon, folder)
    done = d.client("run", "--by", "mail", "--", "sh", "-c", "kill -TERM $$")
    assert done.returncode == 128 + signal.SIGTERM
    assert "ended by signal 15" in told(d)[0]
    done = d.client("run", "--by", "mail", "no-such-program-here")
    assert done.returncode == 127 and "no-such-program-here" in done.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_run_passes_signals_on_to_its_program(make_daemon, folder, number):
    d = start(make_daemon, folder)
    program = f"""import signal, sys
signal.pthread_sigmask(signal.SIG_BLOCK, [{number:d}])
print("ready", flush=True)
signal.sigwait([{number:d}])
print("cleaned up")
sys.exit(7)"""
    with subprocess.Popen([nuncio.BUILD / "client" / "nuncio", "--socket", d.socket, "run", "--by", "mail", "--",
                           sys.executable, "-c", program], stdout=subprocess.PIPE) as run:
        assert run.stdout.readline() == b"ready\n"
        run.send_signal(number)
        assert run.communicate(timeout=nuncio.PATIENCE)[0] == b"cleaned up\n"
    assert run.returncode == 7
    subject, text = told(d)
    assert "failed with status 7" in subject and "cleaned up" in text


def test_run_leaves_out_nul(make_daemon, folder):
    d = start(make_daemon, folder)
    d.client("run", "--by", "mail", "--", "printf", "a\\0b\\n", check=True)
    assert "\nab\n" in told(d)[1]


def test_run_cuts_no_character(make_daemon, folder):
    d = start(make_daemon, folder)
    d.client("run", "--by", "mail", "--", sys.executable, "-c", "print('\u20ac' * 2000, 'end')", check=True)
    text = told(d)[1]
    assert "[...]\n\u20ac" in text and "\u20ac end\n" in text


def test_run_tells_all_of_a_list(make_daemon, folder):
    d = start(make_daemon, folder)
    d.client("run", "--by", "mail", "--to", "me, a@example.org", "-t", "b@example.org", "true", check=True)
    assert set(d.wait_final(1)) == {"me@example.org", "a@example.org", "b@example.org"}
    done = d.client("run", "--to", "", "touch", folder / "ran")
    assert done.returncode == 64 and not (folder / "ran").exists()


def test_run_with_its_standard_files_closed(make_daemon, folder):
    d = start(make_daemon, folder)
    script = '"$0" --socket "$1" run --by mail -- sh -c "echo out; echo err >&2" <&- >&- 2>&-'
    subprocess.run(["sh", "-c", script, nuncio.BUILD / "client" / "nuncio", d.socket], check=True,
                   timeout=nuncio.PATIENCE)
    text = told(d)[1]
    assert "out\n" in text and "err\n" in text


def test_run_can_be_silent_about_success(make_daemon, folder):
    d = start(make_daemon, folder)
    assert d.client("run", "--by", "mail", "--only-failure", "true").returncode == 0
    assert d.client("run", "--by", "mail", "--only-failure", "false").returncode == 1
    assert told(d)[0].startswith("false: failed with status 1")


def test_run_runs_without_a_daemon(folder):
    done = subprocess.run([nuncio.BUILD / "client" / "nuncio", "--socket", folder / "none", "run", "sh", "-c", "echo hi; exit 4"],
                          capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stdout) == (4, "hi\n") and "nuncio:" in done.stderr


def test_run_does_not_wait_for_what_its_program_left_behind(make_daemon, folder):
    d = start(make_daemon, folder)
    left = folder / "pid"
    done = d.client("run", "--by", "mail", "--", "sh", "-c", f"sleep 600 & echo $! > {left}; echo over")
    os.kill(int(left.read_text()), signal.SIGKILL)
    assert (done.returncode, done.stdout) == (0, "over\n")
