"""The crates of the workspace as tidy reads them: manifests, files, modules.

Nothing here compiles: comments and strings are blanked out, then a few regular
expressions find what the checks need. Offsets and line numbers stay true.
"""

import functools
import pathlib
import re
import subprocess
import tomllib

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
OURS = "zkwhirl-"

# Comments, strings and characters. A lifetime has no closing quote.
OPAQUE = re.compile(
    r"//[^\n]*|/\*.*?\*/|b?r(#*)\".*?\"\1|[bc]?\"(?:\\.|[^\"\\])*\"|b?'(?:\\[^']+|[^'\\\n])'", re.S
)
TEST_ATTRIBUTE = re.compile(r"#\[cfg\(([^\[\]]*)\)\]")
ITEM_WORDS = frozenset(
    "async const enum extern fn impl macro_rules mod pub static struct trait type unsafe use".split()
)
MODULE = re.compile(r"\bmod\s+(?:r#)?(\w+)\s*([;{])")


def blanked(text):
    """The text with comments, strings and characters turned into spaces."""
    return OPAQUE.sub(lambda hit: re.sub(r"[^\n]", " ", hit[0]), text)


def closing(code, opening):
    """Where the bracket that opens at `opening` is closed."""
    depth = 0
    for at in re.finditer(r"[(\[{}\])]", code[opening:]):
        depth += 1 if at[0] in "([{" else -1
        if depth == 0:
            return opening + at.start()
    return len(code)


def item_end(code, start):
    """Where the item, field or statement that starts at `start` ends."""
    while code[start : start + 2] == "#[" or code[start : start + 1].isspace():
        start = closing(code, start + 1) + 1 if code[start] == "#" else start + 1
    word = re.match(r"(?:pub(?:\([^)]*\))?\s+)?(\w+)", code[start:])
    item = word and word[1] in ITEM_WORDS
    at = start
    while at < len(code):
        if code[at] in "([":
            at = closing(code, at)
        elif code[at] == "{":
            at = closing(code, at)
            if not (word and word[1] == "use"):
                return at + 1
        elif code[at] == ";" or (code[at] in ",}" and not item):
            return at + 1
        at += 1
    return at


def test_spans(text, code):
    """Where the code stands that only tests compile."""
    if re.search(r"^#!\[cfg\(test\)\]", code, re.M):
        return [(0, len(code))]
    spans = []
    for hit in TEST_ATTRIBUTE.finditer(text):
        real = code[hit.start()] == "#" and (not spans or hit.start() >= spans[-1][1])
        if real and re.search(r"\btest\b|\"test-util\"", hit[1]) and "not(" not in hit[1]:
            spans.append((hit.start(), item_end(code, hit.end())))
    return spans


class File:
    """A Rust file. `code` has neither comments nor strings, `production` no tests either."""

    def __init__(self, path):
        self.path = path
        self.name = str(path.relative_to(ROOT))
        self.text = path.read_text()
        self.code = blanked(self.text)
        self.module = None

    @functools.cached_property
    def test_spans(self):
        return test_spans(self.text, self.code)

    @functools.cached_property
    def production(self):
        code = self.code
        for start, end in self.test_spans:
            code = code[:start] + re.sub(r"[^\n]", " ", code[start:end]) + code[end:]
        return code

    @property
    def lines(self):
        return self.text.count("\n")

    @property
    def test_lines(self):
        """The lines of the items that only tests compile."""
        return sum(self.text.count("\n", start, end) for start, end in self.test_spans)

    @functools.cached_property
    def words(self):
        return set(re.findall(r"\w+", self.code))

    @functools.cached_property
    def inline(self):
        """The modules written in this file: (start, end, name)."""
        return [
            (hit.end(), closing(self.production, hit.end() - 1), hit[1])
            for hit in MODULE.finditer(self.production)
            if hit[2] == "{"
        ]

    def module_at(self, offset):
        """The path of the module that the code at `offset` stands in."""
        return self.module + tuple(name for start, end, name in self.inline if start <= offset < end)


class Crate:
    """A folder with a manifest: its source, and the tests beside it."""

    def __init__(self, folder, files):
        self.name = folder
        self.folder = ROOT / folder
        self.manifest = tomllib.loads((self.folder / "Cargo.toml").read_text())
        beside = f"{folder}/src/"
        self.source = [file for name, file in files.items() if name.startswith(beside)]
        self.around = [
            file
            for name, file in files.items()
            if name.startswith(f"{folder}/") and not name.startswith(beside)
        ]
        self.modules = {}
        roots = [self.folder / "src/lib.rs", self.folder / "src/main.rs"]
        self._walk([file for file in self.source if file.path in roots])

    def _walk(self, roots):
        """Follows `mod x;` through production code. What no module names is a test."""
        known = {file.path: file for file in self.source}
        todo = [(file, ()) for file in roots]
        while todo:
            file, module = todo.pop()
            file.module = module
            self.modules.setdefault(module, file)
            here = file.path.parent
            if file.path.name not in ("lib.rs", "main.rs", "mod.rs"):
                here = here / file.path.stem
            for hit in MODULE.finditer(file.production):
                if hit[2] == ";":
                    paths = (here / f"{hit[1]}.rs", here / hit[1] / "mod.rs")
                    todo += [(known[path], module + (hit[1],)) for path in paths if path in known]

    @property
    def production(self):
        return [file for file in self.source if file.module is not None]

    @property
    def tests(self):
        return [file for file in self.source if file.module is None] + self.around

    @property
    def is_library(self):
        return (self.folder / "src/lib.rs").exists()

    def dependencies(self, table):
        return set(self.manifest.get(table, {}))


def is_optional(how):
    """Whether a manifest's dependency is there for a feature alone."""
    return isinstance(how, dict) and how.get("optional", False)


def tracked():
    """The names of the project's files, new ones included."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.split("\0")
    return [name for name in listed if name and (ROOT / name).is_file()]


def workspace():
    """All Rust files by name, and the crates by folder."""
    files = {name: File(ROOT / name) for name in tracked() if name.endswith(".rs")}
    members = tomllib.loads((ROOT / "Cargo.toml").read_text())["workspace"]["members"]
    return files, {folder: Crate(folder, files) for folder in members}


def pages():
    """The pages for readers, as name and text, and the names of all files."""
    names = tracked()
    return [(name, (ROOT / name).read_text()) for name in names if name.endswith(".md")], names
