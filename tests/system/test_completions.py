"""What shells complete is what the programs take: each command and option that --help,
the manual and the sources know, and none besides."""
import os
import re
import shutil
import subprocess
import sys

import pytest

import nuncio

FOLDER = nuncio.BUILD / "client" / "completions"
FILES = {"bash": "{}", "zsh": "_{}", "fish": "{}.fish"}
sys.path.insert(0, str(nuncio.SOURCE / "client" / "completions"))
sys.dont_write_bytecode = True
import generate  # noqa: E402


def run(*arguments, **kw):
    return subprocess.run([str(a) for a in arguments], capture_output=True, text=True, check=False,
                          timeout=nuncio.PATIENCE, stdin=subprocess.DEVNULL, **kw)


def commands_of_help():
    text = run(nuncio.BUILD / "client" / "nuncio", "--help").stdout
    return dict(re.findall(r"(?m)^  ([a-z]+) +(\S.*)$", text))


def completion(shell, program="nuncio"):
    return (FOLDER / FILES[shell].format(program)).read_text()


@pytest.mark.parametrize("shell", FILES)
def test_every_command_of_help_is_there(shell):
    commands = commands_of_help()
    assert len(commands) >= 15 and set(commands) == set(generate.COMMANDS)
    text = completion(shell)
    for name, usage in commands.items():
        assert re.search(rf"(?<![a-z-]){name}(?![a-z])", text)
        for option in re.findall(r"--[a-z-]+", usage):
            assert option in generate.COMMANDS[name][2], (name, option)


@pytest.mark.parametrize("shell", FILES)
def test_every_option_is_there(shell):
    text = completion(shell)
    mark = "-l " if shell == "fish" else "--"
    for source in (nuncio.SOURCE / "client").glob("*.[ch]"):
        for option in re.findall(r'\{ ?"([a-z]+)", +(?:no|required|optional)_argument', source.read_text()):
            assert re.search(rf"{mark}{option}\b", text), f"{source.name}: {option}"
    text = completion(shell, "nunciod")
    for option in re.findall(r"--([a-z]+)", run(nuncio.BUILD / "daemon" / "nunciod", "--help").stdout):
        assert re.search(rf"{mark}{option}\b", text), option


def test_the_manual_knows_every_command_and_option():
    page = (nuncio.SOURCE / "doc" / "nuncio.1.scd").read_text()
    for name, (_, _, options) in generate.COMMANDS.items():
        assert f"*{name}*" in page
        for option in options:
            assert option in page, (name, option)
    page = (nuncio.SOURCE / "doc" / "nunciod.8.scd").read_text()
    for option in generate.DAEMON:
        assert option in page or option in ("--verbose", "--file"), option


def test_no_option_is_made_up(daemon):
    for name, (_, _, options) in generate.COMMANDS.items():
        for option in options:
            word = f"{option}=1" if generate.COMMANDS[name][2][option] else option
            word = "--wait=1ms" if (name, option) == ("status", "--wait") else word
            done = run(nuncio.BUILD / "client" / "nuncio", "--socket", "/nowhere", name, word, env={"PATH": "/nowhere"})
            assert "nrecognized option" not in done.stderr and "not an option of" not in done.stderr, (name, option)


def complete(daemon, line):
    """What bash offers at the end of the line."""
    words = line.split(" ")
    script = (f'source "{FOLDER}/nuncio"; COMP_WORDS=({" ".join(repr(w) for w in words)}); '
              f'COMP_CWORD={len(words) - 1}; _nuncio; printf "%s\\n" "${{COMPREPLY[@]}}"')
    path = f"{nuncio.BUILD / 'client'}:{os.environ['PATH']}"
    done = run("bash", "-c", script, env={"PATH": path, "NUNCIO_SOCKET": str(daemon.socket)})
    assert done.stderr == "", done.stderr
    return done.stdout.split()


def test_bash_completes(daemon):
    assert complete(daemon, "nuncio st") == ["status"]
    assert complete(daemon, "nuncio --socket /x st") == ["status"]
    assert complete(daemon, "nuncio log --f") == ["--follow"]
    assert complete(daemon, "nuncio pause ") == ["outbox"]
    assert complete(daemon, "nuncio send --priority ur") == ["urgent"]
    assert complete(daemon, "nuncio queue --state = fa") == ["failed"]
    identity = daemon.call("Send", {"to": ["a@example.org"], "text": "x", "hold": True})["id"]
    assert complete(daemon, "nuncio show ")[-1] == str(identity)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_shell_reads_it(shell):
    if not shutil.which(shell):
        pytest.skip(f"no {shell}")
    for program in ("nuncio", "nunciod"):
        done = run(shell, "-n", FOLDER / FILES[shell].format(program))
        assert done.returncode == 0 and done.stderr == "", done.stderr
