"""Dependencies that a manifest has and the code does not use."""

import re
import tomllib

import source
from circles import paths
from source import is_optional


def named(code):
    """The dependencies that the code may mean: the first parts of its paths, and plain uses."""
    return {path[0] for _, path, _ in paths(code)} | set(re.findall(r"\buse\s+(\w+)\s*;", code))


def unused(crate, files):
    """What the crate's manifest has too much, as lines of text."""
    tests = crate.source + crate.around
    targets = [target for kind in ("bin", "test", "bench") for target in crate.manifest.get(kind, [])]
    if any(target.get("path", "").startswith("../tests/") for target in targets):
        tests = tests + [file for name, file in files.items() if name.startswith("tests/")]
    somewhere = set().union(*(named(file.code) for file in tests))
    shipped = set().union(*(named(file.production) for file in crate.production))
    dependencies = crate.manifest.get("dependencies", {})
    for name, how in dependencies.items():
        word = name.replace("-", "_")
        # An optional one may belong to the feature test-util.
        if word not in (somewhere if is_optional(how) else shipped):
            where = "only tests name" if word in somewhere else "no code names"
            yield f"{crate.name}/Cargo.toml: {where} {name}"
    for name in crate.dependencies("dev-dependencies") - set(dependencies):
        # A crate that depends on itself does so for a feature.
        if name != crate.manifest["package"]["name"] and name.replace("-", "_") not in somewhere:
            yield f"{crate.name}/Cargo.toml: no test names {name}"


def not_in_image(crates):
    """Cargo builds no workspace that lacks a member, so the image's context has them all."""
    context = (source.ROOT / ".dockerignore").read_text().split()
    return [f".dockerignore lacks !{name}" for name in crates if f"!{name}" not in context]


def unused_in_workspace(crates):
    table = tomllib.loads((source.ROOT / "Cargo.toml").read_text())["workspace"]["dependencies"]
    kinds = ("dependencies", "dev-dependencies", "build-dependencies")
    used = set().union(*(crate.dependencies(kind) for crate in crates.values() for kind in kinds))
    return [f"Cargo.toml: no crate uses {name}" for name in table if name not in used]
