#!/usr/bin/env python3
"""count.py meson|pytest FILE: prints PASSED FAILED SKIPPED of one test report;
what failed goes to standard error."""
import json
import re
import sys
import xml.etree.ElementTree as tree


def meson(path):
    passed = failed = 0
    for line in open(path, encoding="utf-8"):
        test = json.loads(line)
        text = test.get("stdout", "") + test.get("stderr", "")
        good = len(re.findall(r"^\[       OK \] ", text, re.M))
        bad = len(re.findall(r"^\[  FAILED  \] \S+$", text, re.M)) // 2
        if test["result"] == "OK":
            passed += max(good, 1)
        else:
            passed += good
            failed += max(bad, 1)
            print(f"FAILED {test['name']}: {test['result']}\n{text[-4000:]}", file=sys.stderr)
    return passed, failed, 0


def pytest(path):
    suite = tree.parse(path).getroot().find("testsuite")
    number = {k: int(suite.get(k)) for k in ("tests", "failures", "errors", "skipped")}
    bad = number["failures"] + number["errors"]
    return number["tests"] - bad - number["skipped"], bad, number["skipped"]


try:
    print(*{"meson": meson, "pytest": pytest}[sys.argv[1]](sys.argv[2]))
except (OSError, ValueError, tree.ParseError) as error:
    print(f"FAILED: no report: {error}", file=sys.stderr)
    print(0, 1, 0)
