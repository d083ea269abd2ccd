"""What scripts/tidy prints when it is asked for figures."""

import items

# A library for tests alone.
TESTKIT = "testkit"
KINDS = ("circles", "unused", "strings", "dependencies")


def counts(files, crates, found):
    """Lines and findings by crate."""
    print(f"{'':16}{'source':>8}{'share':>7}{'tests':>8}{'circles':>9}"
          f"{'unused public':>15}{'String errors':>15}{'unused dependencies':>21}")
    source = {
        name: sum(file.lines - file.test_lines for file in crate.production if name != TESTKIT)
        for name, crate in crates.items()
    }
    tests = {
        name: sum(file.lines for file in crate.source + crate.around) - source[name]
        for name, crate in crates.items()
    }
    tests["tests"] = sum(file.lines for name, file in files.items() if name.startswith("tests/"))
    whole = sum(source.values())
    for name, crate in crates.items():
        line(name, source[name], whole, tests[name], [len(found[name][kind]) for kind in KINDS])
    print(f"{'tests':16}{'':>8}{'':>7}{tests['tests']:>8}")
    sums = [sum(len(of[kind]) for of in found.values()) for kind in KINDS]
    line("all", whole, whole, sum(tests.values()), sums)
    print(f"\n{sum(file.lines for file in files.values())} lines of Rust in {len(files)} files; "
          f"{sum(bool(of['dependencies']) for of in found.values())} crates have a dependency that "
          f"their code does not use")


def line(name, source, whole, tests, kinds):
    circles, unused, strings, dependencies = kinds
    print(f"{name:16}{source:>8}{source / whole:>7.1%}{tests:>8}{circles:>9}"
          f"{unused:>15}{strings:>15}{dependencies:>21}")


def unused(crates, found):
    """The public items that nothing outside their crate names."""
    for name, of in found.items():
        print(f"{name}: {len(of['unused'])} of {items.total(crates[name])} public items")
        for file, kind, item in of["unused"]:
            print(f"    {file.name}: {kind} {item}")


def circles(found):
    """Every circle with the names that close it."""
    for of in found.values():
        for circle in of["circles"]:
            print("\n".join(circle))
