"""What shells complete: generate.py bash|zsh|fish PROGRAM prints the file for one shell.
The table is held against nuncio --help, the options it takes, and the manual by a test."""
import sys

# What follows an option or stands for itself: nothing to guess (a text), files, words, or
# what a running daemon knows.
TEXT, FILE, TRANSPORT, ID = "text", "file", "transport", "id"
STATES = "held queued sending accepted sent delivered undelivered failed expired canceled suppressed uncertain standby"
RUNS = "started done failed interrupted refused asked expired"
SELECT = {"--state": STATES, "--recipient": TEXT, "--route": TEXT}
DEED = {"--all": None, "--delivery": TEXT, **SELECT, "--json": None}
COMMANDS = {
    "send": ("queue a message", TEXT, {
        "--to": TEXT, "--cc": TEXT, "--bcc": TEXT, "--subject": TEXT, "--attach": FILE, "--html": FILE,
        "--by": TRANSPORT, "--from": TEXT, "--at": TEXT, "--expires": TEXT, "--priority": "urgent high normal low",
        "--key": TEXT, "--dedup": TEXT, "--hold": None, "--wait": None, "--timeout": TEXT, "--fallback": TEXT,
        "--media": TEXT,
        "--json": None}),
    "text": ("text yourself", TEXT, {
        "--to": TEXT, "--by": TRANSPORT, "--dry-run": None, "--exact": None, "--price": TEXT, "--wait": None,
        "--fallback": TEXT, "--media": TEXT, "--json": None}),
    "run": ("run a program, and tell how it ended", FILE, {
        "--to": TEXT, "--by": TRANSPORT, "--subject": TEXT, "--only-failure": None}),
    "queue": ("what waits", ID, {"--all": None, **SELECT, "--json": None}),
    "show": ("a message and what happened to it", ID, {"--json": None}),
    "why": ("in words, what became of a message", ID, {"--json": None}),
    "cancel": ("give up what waits", ID, DEED),
    "retry": ("try again now", ID, DEED),
    "hold": ("keep from being sent", ID, DEED),
    "release": ("send what is held", ID, DEED),
    "pause": ("send nothing over a transport", TRANSPORT, {}),
    "resume": ("go on with a transport", TRANSPORT, {}),
    "status": ("the daemon and its transports", TEXT, {"--wait": None, "--prometheus": None, "--json": None}),
    "log": ("what happened", ID, {"--since": TEXT, "--follow": None, "--json": None}),
    "doctor": ("is all well", TEXT, {"--file": FILE, "--restored": None, "--json": None}),
    "contacts": ("who is known, and who wants no texts", TEXT, {"--json": None}),
    "rules": ("what mails may command", "list test log run kill totp", {
        "--mailbox": TEXT, "--ago": TEXT, "--rule": TEXT, "--from": TEXT, "--state": RUNS, "--since": TEXT,
        "--limit": TEXT, "--file": FILE, "--plain": None, "--json": None}),
    "mail": ("what the daemon reads in a mail", FILE, {"--json": None}),
    "sendmail": ("as sendmail does", TEXT, {}),
    "watch": ("what happens", ID, {"--json": None}),
}
OPTIONS = {"--socket": FILE, "--json": None, "--help": None, "--version": None}
DAEMON = {"--check": None, "--restored": None, "--reference": None, "--file": FILE, "--verbose": None,
          "--version": None, "--help": None}
KNOWN = {  # how a shell asks the daemon
    TRANSPORT: r"""nuncio status --prometheus 2>/dev/null | sed -n 's/^nuncio_transport_up{transport="\([^"]*\)".*/\1/p'""",
    ID: r"""nuncio queue --json 2>/dev/null | sed -n 's/.*"message":\([0-9]*\).*/\1/p' | sort -un | head -n 200""",
}


def words_of(kind):
    """What a shell runs to get the words of a kind; None: nothing to guess."""
    if kind in (None, TEXT, FILE):
        return None
    return KNOWN.get(kind, f"echo {kind}")


def bash_values(options):
    lines = []
    for option, kind in options.items():
        if kind == FILE:
            lines.append(f"\t{option}) COMPREPLY=($(compgen -f -- \"$cur\")); return ;;")
        elif kind == TEXT:
            lines.append(f"\t{option}) return ;;")
        elif kind is not None:
            lines.append(f"\t{option}) COMPREPLY=($(compgen -W \"$({words_of(kind)})\" -- \"$cur\")); return ;;")
    return lines


def bash_nuncio():
    every = {option: kind for _, _, options in COMMANDS.values() for option, kind in options.items()}
    every.update(OPTIONS)
    lines = ["# bash completion for nuncio", "_nuncio()", "{",
             "\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} command= i", "\tCOMPREPLY=()",
             "\tfor ((i = 1; i < COMP_CWORD; i++)); do", "\t\tcase ${COMP_WORDS[i]} in", "\t\t--socket) ((i++)) ;;",
             "\t\t-*) ;;", "\t\t*) command=${COMP_WORDS[i]}; break ;;", "\t\tesac", "\tdone",
             "\t[ \"$cur\" = = ] && cur= ", "\t[ \"$prev\" = = ] && prev=${COMP_WORDS[COMP_CWORD - 2]}",
             "\tcase $prev in", *bash_values(every), "\tesac", "\tcase $command in",
             f"\t'') COMPREPLY=($(compgen -W \"{' '.join([*COMMANDS, *OPTIONS])}\" -- \"$cur\")) ;;"]
    for name, (_, operand, options) in COMMANDS.items():
        ask = words_of(operand)
        words = " ".join(options) + (f" $({ask})" if ask else "")
        lines.append(f"\t{name}) COMPREPLY=($(compgen -W \"{words}\" -- \"$cur\")) ;;")
    return [*lines, "\tesac", "}", "complete -o default -F _nuncio nuncio"]


def bash_nunciod():
    return ["# bash completion for nunciod", "_nunciod()", "{",
            "\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}", "\tCOMPREPLY=()",
            "\tcase $prev in", *bash_values({**DAEMON, "-f": FILE}), "\tesac",
            f"\tCOMPREPLY=($(compgen -W \"{' '.join(DAEMON)}\" -- \"$cur\"))", "}", "complete -F _nunciod nunciod"]


def zsh_options(options):
    found = []
    for option, kind in options.items():
        ask = words_of(kind)
        if kind is None:
            found.append(f"'{option}'")
        elif kind == FILE:
            found.append(f"'{option}=:file:_files'")
        elif ask:
            found.append(f"\"{option}=:{option[2:]}:($({ask}))\"")
        else:
            found.append(f"'{option}=:{option[2:]}:'")
    return found


def zsh_nuncio():
    lines = ["#compdef nuncio", "local -a commands", "commands=("]
    lines += [f"\t'{name}:{about}'" for name, (about, _, _) in COMMANDS.items()]
    lines += [")", "_arguments -C " + " ".join(zsh_options(OPTIONS)) + " '1:command:->command' '*::argument:->argument'",
              "case $state in", "command) _describe command commands ;;", "argument)", "\tcase $words[1] in"]
    for name, (_, operand, options) in COMMANDS.items():
        ask = words_of(operand)
        more = f"\"*:{operand}:($({ask}))\"" if ask else "'*:argument:_files'"
        lines.append(f"\t{name}) _arguments " + " ".join([*zsh_options(options), more]) + " ;;")
    return [*lines, "\tesac ;;", "esac"]


def zsh_nunciod():
    return ["#compdef nunciod", "_arguments " + " ".join(zsh_options(DAEMON))]


def fish_options(program, condition, options):
    lines = []
    for option, kind in options.items():
        ask = words_of(kind)
        more = " -r -F" if kind == FILE else f" -x -a \"({escape_fish(ask)})\"" if ask else " -x" if kind else ""
        lines.append(f"complete -c {program}{condition} -l {option[2:]}{more}")
    return lines


def escape_fish(command):
    return command.replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$")


def fish_nuncio():
    lines = ["# fish completion for nuncio", "complete -c nuncio -f"]
    lines += fish_options("nuncio", " -n __fish_use_subcommand", OPTIONS)
    for name, (about, operand, options) in COMMANDS.items():
        lines.append(f"complete -c nuncio -n __fish_use_subcommand -a {name} -d '{about}'")
        condition = f" -n '__fish_seen_subcommand_from {name}'"
        lines += fish_options("nuncio", condition, options)
        if words_of(operand):
            lines.append(f"complete -c nuncio{condition} -a \"({escape_fish(words_of(operand))})\"")
    return lines


def fish_nunciod():
    return ["# fish completion for nunciod", "complete -c nunciod -f", *fish_options("nunciod", "", DAEMON)]


if __name__ == "__main__":
    print("\n".join(globals()[f"{sys.argv[1]}_{sys.argv[2]}"]()))
