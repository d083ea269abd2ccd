"""Results whose error is a String: callers cannot tell one failure from another."""

import re

RESULT = re.compile(r"\bResult\s*<")
LAST = re.compile(r"\s*>")
# A bracket, or a comma; an arrow is no bracket.
STEP = re.compile(r"->|=>|[<>(\[{}\]),]")


def of_string(crate):
    """Where production code says `Result<_, String>`: file and line."""
    for file in crate.production:
        code = file.production
        for hit in RESULT.finditer(code):
            if last_argument(code, hit.end()) == "String":
                yield file, code.count("\n", 0, hit.start()) + 1


def last_argument(code, start):
    """The last of the type arguments that begin at `start`; None of a single one."""
    depth, comma = 0, None
    for step in STEP.finditer(code, start):
        if step[0] in "<([{":
            depth += 1
        elif step[0] in ">)]}" and depth:
            depth -= 1
        elif step[0] in ">)]}":
            return comma and code[comma : step.start()].strip(" \n,")
        elif step[0] == "," and not depth and not LAST.match(code, step.end()):
            comma = step.end()
    return None
