"""Public items of the libraries that nothing outside their crate names.

An item is a `pub fn`, `const`, `static`, `struct`, `enum`, `trait`, `type` or
`union`, methods included. It is named outside if the word stands in the code of
a crate that depends on this one, or in this crate's own tests, benches or
examples, or in its program. A type also counts as used while the signature of another public item
shows it: its users need not write its name.
"""

import re

from source import OURS, closing

ITEM = re.compile(
    r"\bpub\s+(?:(?:const|async|unsafe)\s+)*(fn|struct|enum|trait|const|static|type|union)\s+(\w+)"
)
FIELD = re.compile(r"\bpub\s+\w+\s*:([^{};]*?)(?:,\s*\n|[}])|\(\s*pub\s+([^;]*?)\)\s*;")
ASSOCIATED = re.compile(r"^\s+type\s+\w+\s*=([^;]*);", re.M)


def shown(code, item):
    """The words of a public item's signature: all of a trait or an enum, else its head."""
    head = re.compile(r"[{;]").search(code, item.end())
    end = head.start() if head else len(code)
    if item[1] in ("trait", "enum") and head and head[0] == "{":
        end = closing(code, end)
    return set(re.findall(r"\w+", code[item.end() : end]))


def of(crate, file):
    """The module below the root that a file belongs to; a program's root is `main`."""
    return file.path.relative_to(crate.folder / "src").parts[0].removesuffix(".rs")


def unused(crate, crates, files):
    """The crate's unused public items: (file, kind, name), in the order of the files."""
    if not crate.is_library:
        return []
    outside = set()
    library = set(re.findall(r"\bmod\s+(\w+)", (crate.folder / "src/lib.rs").read_text())) | {"lib"}
    program = [file for file in crate.production if of(crate, file) not in library]
    for file in crate.around + program:
        outside |= file.words
    for other in crates.values():
        if other is not crate and OURS + crate.name in other.dependencies("dependencies") | other.dependencies("dev-dependencies"):
            for file in other.production + other.tests:
                outside |= file.words
    # The packages' tests may stand in the folder tests/.
    for name, file in files.items():
        if name.startswith("tests/"):
            outside |= file.words
    found, signatures = [], {}
    for file in crate.production:
        code = file.production
        for item in ITEM.finditer(code):
            if item[2] not in outside:
                found.append((file, item[1], item[2]))
            for word in shown(code, item):
                signatures.setdefault(word, set()).add(item[2])
        for field in list(FIELD.finditer(code)) + list(ASSOCIATED.finditer(code)):
            for word in re.findall(r"\w+", field[0]):
                signatures.setdefault(word, set()).add(None)
    return [
        (file, kind, name)
        for file, kind, name in found
        if kind in ("fn", "const", "static") or not signatures.get(name, set()) - {name}
    ]


def total(crate):
    """How many public items the crate has."""
    return sum(len(ITEM.findall(file.production)) for file in crate.production)
