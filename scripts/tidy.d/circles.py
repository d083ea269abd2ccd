"""Circles among the imports of a crate's files.

A file imports another when its production code names something of the other by
path: in a `use`, or inline as `crate::a::b`, `super::b`, `self::b` or `child::b`.
The name counts for the file in whose module the path finds it, also where that
module only re-exports it.

Two things are no imports, since they tie every folder to its files anyway:
* a module names its own child to declare it (`mod child;`) or to re-export from
  it (`pub use child::Item;`);
* a file names an item of a module above it (`super::Item`).
"""

import functools
import re

USE = re.compile(r"(\bpub(?:\([^)]*\))?\s+)?\buse\s+([^;]+);")
PATH = re.compile(r"(?<![\w:])(?:r#)?([a-z_]\w*)((?:\s*::\s*\w+)+)")
TOKEN = re.compile(r"\w+|[{},*]")


def leaves(tree):
    """The paths of a use tree: `a::{b, c::d}` gives a::b and a::c::d."""
    prefix, above, found, named = [], [], [], False
    for token in TOKEN.findall(re.sub(r"\bas\s+\w+", "", tree)) + [","]:
        if token == "{":
            above.append(list(prefix))
            named = False
        elif token in ",}":
            if named:
                found.append(tuple(prefix))
            named = False
            if token == "}":
                above.pop()
            prefix = list(above[-1]) if above else []
        else:
            prefix.append(token)
            named = True
    return found


@functools.cache
def paths(code):
    """Every path that the code names: its offset, its parts, and whether it is re-exported."""
    found = [
        (use.start(), path, bool(use[1])) for use in USE.finditer(code) for path in leaves(use[2])
    ]
    for hit in PATH.finditer(USE.sub(lambda use: " " * len(use[0]), code)):
        found.append((hit.start(), (hit[1], *re.findall(r"\w+", hit[2])), False))
    return found


def target(crate, here, path):
    """The file that a path leads to from module `here`, and the name it takes there."""
    at, rest = here, path
    if path[0] == "crate":
        at, rest = (), path[1:]
    elif path[0] == "self":
        rest = path[1:]
    elif path[0] != "super" and here + path[:1] not in crate.modules:
        return None, None
    while rest[:1] == ("super",):
        at, rest = at[:-1], rest[1:]
    while rest and at + rest[:1] in crate.modules:
        at, rest = at + rest[:1], rest[1:]
    name = (rest or at or ("crate",))[0 if rest else -1]
    while at not in crate.modules:
        at = at[:-1]
    return crate.modules[at], name


def imports(crate):
    """For each file: the files that it imports, with the names it takes."""
    found = {file: {} for file in crate.production}
    for file in found:
        for offset, path, public in paths(file.production):
            to, name = target(crate, file.module_at(offset), path)
            if to is None or to is file or above(to, file) or (public and above(file, to)):
                continue
            found[file].setdefault(to, set()).add(name)
    return found


def above(file, other):
    return other.module[: len(file.module)] == file.module


def circles(crate):
    """Each circle as lines of text: the groups of files that reach one another."""
    edges = imports(crate)
    for group in groups(edges):
        lines = [f"{crate.name}: {len(group)} files import one another in a circle"]
        for file in sorted(group, key=lambda file: file.name):
            for to, names in edges[file].items():
                if to in group:
                    lines.append(f"    {file.name} -> {to.name}: {', '.join(sorted(names))}")
        yield lines


def groups(edges):
    """The strongly connected groups of more than one node (Tarjan's algorithm)."""
    order, low, stack, found = {}, {}, [], []

    def visit(node):
        order[node] = low[node] = len(order)
        stack.append(node)
        for to in edges[node]:
            if to not in order:
                visit(to)
            if to in stack:
                low[node] = min(low[node], low[to])
        if low[node] == order[node]:
            cut = stack.index(node)
            group = stack[cut:]
            del stack[cut:]
            if len(group) > 1:
                found.append(group)

    for node in edges:
        if node not in order:
            visit(node)
    return found
