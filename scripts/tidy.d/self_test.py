"""Shows each check a small workspace that breaks it: scripts/tidy --self-test."""

import pathlib
import subprocess
import tempfile
import unittest

import circles
import docs
import imports
import items
import manifests
import results
import source

MANIFEST = """[package]
name = "zkwhirl-{name}"
[lints]
workspace = true
"""


def written(root, files):
    """A workspace of these files; each of their folders is a member."""
    members = sorted({name.split("/")[0] for name in files})
    for folder in members:
        files = {f"{folder}/Cargo.toml": "", **files}
    files["Cargo.toml"] = f"[workspace]\nmembers = {members}\n[workspace.dependencies]\nhex = '1'\n"
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        head = MANIFEST.format(name=name.split("/")[0]) if name.endswith("/Cargo.toml") else ""
        (root / name).write_text(head + text)
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    source.ROOT = root
    return source.workspace()


class Tidy(unittest.TestCase):
    def workspace(self, files):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        return written(pathlib.Path(folder.name), files)

    def test_only_what_ships_is_production(self):
        files, crates = self.workspace({
            "job/src/lib.rs": 'mod a; #[cfg(test)] mod tests; #[cfg(any(test, feature = "test-util"))]\n'
                              "fn t() -> [u8; 2] { let x = '{'; [1, 2] }\nconst S: &str = \"// } fn no()\"; fn kept() {}",
            "job/src/a.rs": "#[cfg(not(test))] fn shipped() {} struct A { #[cfg(test)] b: u8, c: u8 }",
            "job/src/tests.rs": "",
        })
        self.assertEqual(sorted(file.name for file in crates["job"].production), ["job/src/a.rs", "job/src/lib.rs"])
        code = "".join(file.production for file in crates["job"].production)
        for word, there in {"kept": True, "shipped": True, "c": True, "t": False, "no": False, "b": False}.items():
            self.assertEqual(bool(source.re.search(rf"\b{word}\b", code)), there, word)

    def test_a_page_names_files_that_are_there(self):
        pages = [("a.md", "`job/src/a.rs::t`, `a.rs`,\n`gone.rs`, `claim/poseidon`")]
        self.assertEqual(list(docs.missing(pages, ["job/src/a.rs"])), ["a.md:2 names gone.rs, which is not there"])

    def circles_of(self, **modules):
        code = {f"job/src/{name}.rs": text for name, text in modules.items()}
        head = "".join(f"mod {name};" for name in modules)
        _, crates = self.workspace({"job/src/lib.rs": head + "pub use b::B; pub struct Root;", **code})
        return [line[0] for line in circles.circles(crates["job"])]

    def test_files_that_import_one_another_are_a_circle(self):
        found = self.circles_of(a="use crate::{b::{self, B}, Root};", b="fn f() { super::a::g() }")
        self.assertEqual(found, ["job: 2 files import one another in a circle"])

    def test_a_declaration_a_re_export_and_an_item_above_are_no_circle(self):
        self.assertEqual(self.circles_of(a="use super::{b::B, Root};", b="use crate::Root; pub struct B;"), [])

    def test_a_comment_and_a_test_are_no_circle(self):
        tests = "#[cfg(test)] mod tests { use crate::a::A; }"
        self.assertEqual(self.circles_of(a="use crate::b::B;", b="// crate::a::A\n" + tests), [])

    def test_who_may_import_whom(self):
        _, crates = self.workspace({
            "ledger/Cargo.toml": "[dependencies]\nzkwhirl-bridge = {}\nredis = {}\nlapin = {}\n[dev-dependencies]\nzkwhirl-testkit = {}\n",
            "ledger/src/lib.rs": "mod embedded; mod redis;",
            "ledger/src/embedded.rs": "use crate::redis::Keep; fn f() { ::redis::cmd(); redis::cmd() }",
            "ledger/src/redis.rs": "",
        })
        found = "\n".join(imports.problems(crates))
        for part in ("must not have zkwhirl-bridge", "must not have lapin", "embedded.rs must not name redis",
                     "embedded.rs must not name ledger/src/redis.rs"):
            self.assertIn(part, found)
        self.assertNotIn("testkit", found)

    def test_dependencies_that_no_code_names(self):
        files, crates = self.workspace({
            "job/Cargo.toml": "[dependencies]\nbytes = '1'\nsha2 = '1'\nserde = '1'\n",
            "job/src/lib.rs": "use serde::Serialize; #[cfg(test)] mod tests { use sha2::Sha256; }",
        })
        found = [line.split(": ")[1] for line in manifests.unused(crates["job"], files)]
        self.assertEqual(found, ["no code names bytes", "only tests name sha2"])
        self.assertEqual(manifests.unused_in_workspace(crates), ["Cargo.toml: no crate uses hex"])

    def test_public_items_that_nothing_outside_names(self):
        files, crates = self.workspace({
            "job/src/lib.rs": "pub fn used() -> Shown { hidden() } pub fn hidden() {} pub struct Shown; pub struct Lost;",
            "worker/Cargo.toml": "[dependencies]\nzkwhirl-job = {}\n",
            "worker/src/lib.rs": "fn f() { zkwhirl_job::used(); }",
        })
        found = [name for _, _, name in items.unused(crates["job"], crates, files)]
        self.assertEqual(found, ["hidden", "Lost"])

    def test_errors_that_are_strings(self):
        _, crates = self.workspace({
            "job/src/lib.rs": "fn a() -> Result<Vec<(u8, u8)>, String> {}\nfn b() -> Result<String> {}\n"
                              "fn c() -> Result<\n    Box<dyn Fn(u8) -> u8>,\n    String,\n> {}\nfn d() -> Result<String, E> {}",
        })
        self.assertEqual([line for _, line in results.of_string(crates["job"])], [1, 3])
