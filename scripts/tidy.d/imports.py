"""Who may import whom: crates, their tests, and places inside a crate.

docs/ARCHITECTURE.md draws the same picture. A *place* is a file or a folder.
"""

import re

from circles import paths, target
from source import OURS, is_optional

# Which of our crates each crate may use.
MAY_USE = {
    "telemetry": "",
    "job": "",
    "msm": "",
    "circuits": "job",
    "redis": "",
    "keystore": "redis telemetry",
    "prover": "job circuits keystore msm telemetry",
    "broker-adapter": "job telemetry",
    "ledger": "job redis telemetry",
    "bridge": "job broker-adapter ledger telemetry",
    "console": "job broker-adapter ledger bridge telemetry",
    "worker": "job broker-adapter ledger prover telemetry",
    "falafel": "job circuits",
    "planner": "",
    "testkit": "job",
    "zkwhirl": "job circuits redis keystore prover broker-adapter ledger bridge console worker falafel planner telemetry",
}
# What a crate's tests may use besides. Itself: with its feature test-util.
TESTS_MAY_USE = {
    # Its integration tests alone: unit tests would see two copies of its types.
    "job": "job testkit",
    "keystore": "redis",
    "prover": "falafel",
    "broker-adapter": "broker-adapter redis testkit",
    "ledger": "redis testkit",
    "bridge": "redis testkit",
    "console": "testkit",
    "worker": "testkit",
    "falafel": "testkit",
    "zkwhirl": "testkit",
}
# Dependencies from outside, and the only places that may name them.
ONLY = {
    r"ark-.*": "circuits msm prover falafel/src/world",
    r"ark-(groth16|relations|serialize|poly)|taceo-.*": "prover/src/native",
    r"rayon": "msm prover/src/native",
    r"ark-(ed-on-bn254|grumpkin)|light-poseidon": "circuits",
    r"memmap2": "keystore/src/file",
    r"lapin": "broker-adapter/src/amqp",
    r"redis": "redis ledger/src/redis keystore/src/fleet",
    # RabbitMQ's management interface, Falafel, and the bridge that a terminal asks.
    r"reqwest": "broker-adapter/src/amqp bridge/src/falafel zkwhirl/src/command/operate",
    r"axum": "bridge/src/api console falafel/src/job_server testkit zkwhirl/src/shell",
    r"tokio": "prover broker-adapter ledger bridge console worker falafel testkit zkwhirl",
    r"metrics": "telemetry",
    r"opentelemetry.*|tracing-opentelemetry": "telemetry/src/trace zkwhirl/src/shell",
    r"tracing-subscriber|metrics-exporter-prometheus": "zkwhirl/src/shell",
    r"hyper.*|http-body-util|tokio-rustls": "zkwhirl/src/shell",
    r"clap|anyhow|indicatif|comfy-table": "zkwhirl",
    r"plotters|serde-saphyr": "planner",
}
# What the tests of a crate may name all the same.
TESTS_MAY_NAME = {
    "falafel": {"reqwest"},
    "zkwhirl": {"ark-bn254", "ark-ff", "serde-saphyr"},
}
# Places that know nothing of others: adapters of one trait, and what stands below.
APART = [
    ("broker-adapter/src/embedded", "broker-adapter/src/amqp"),
    ("broker-adapter/src/amqp", "broker-adapter/src/embedded"),
    ("ledger/src/embedded", "ledger/src/redis"),
    ("ledger/src/redis", "ledger/src/embedded"),
    ("keystore/src/embedded", "keystore/src/fleet"),
    ("keystore/src/file", "keystore/src/fleet"),
    ("prover/src/native", "prover/src/stdio"),
    ("prover/src/stdio", "prover/src/native"),
    ("bridge/src/falafel", "bridge/src/api"),
]
# The program's shell knows no domain: of our crates it names what it measures and shows.
SHELL, SHELL_MAY_USE = "zkwhirl/src/shell", "telemetry"


def within(name, places):
    return any(name in (place, place + ".rs") or name.startswith(place + "/") for place in places)


def problems(crates):
    for crate in crates.values():
        yield from manifest_problems(crate)
        yield from code_problems(crate)
        if crate.manifest.get("lints", {}).get("workspace") is not True:
            yield f"{crate.name}/Cargo.toml does not take the workspace's lints"


def manifest_problems(crate):
    if crate.name not in MAY_USE:
        yield f"{crate.name} is in no table of scripts/tidy.d/imports.py"
        return
    allowed = set(MAY_USE[crate.name].split())
    in_tests = allowed | set(TESTS_MAY_USE.get(crate.name, "").split())
    for table in ("dependencies", "dev-dependencies", "build-dependencies"):
        for name, how in crate.manifest.get(table, {}).items():
            # An optional one belongs to the feature test-util.
            testing = table == "dev-dependencies" or is_optional(how)
            ours = name.removeprefix(OURS)
            if name != ours:
                good = ours in (in_tests if testing else allowed)
            else:
                good = testing and name in TESTS_MAY_NAME.get(crate.name, ())
                good = good or all(crate.name in folders for folders in places_of(name))
            if not good:
                yield f"{crate.name}/Cargo.toml: {crate.name} must not have {name} in its {table}"


def places_of(name):
    """For each rule about a dependency: the crates of its places."""
    for pattern, places in ONLY.items():
        if re.fullmatch(pattern, name):
            yield {place.split("/")[0] for place in places.split()}


def code_problems(crate):
    """Production code that names a dependency, or a neighbour, outside its place."""
    rules = {
        name.replace("-", "_"): places.split()
        for name in crate.dependencies("dependencies")
        for pattern, places in ONLY.items()
        if re.fullmatch(pattern, name)
    }
    for file in crate.production:
        apart = [to for place, to in APART if within(file.name, [place])]
        seen = set()
        for offset, path, _ in paths(file.production):
            first = path[0]
            if first in rules and not within(file.name, rules[first]):
                seen.add(f"{file.name} must not name {first}")
            if within(file.name, [SHELL]) and first.startswith("zkwhirl_"):
                ours = first.removeprefix("zkwhirl_").replace("_", "-")
                if ours not in SHELL_MAY_USE.split():
                    seen.add(f"{file.name} must not name {first}")
            if apart:
                to, _ = target(crate, file.module_at(offset), path)
                if to and within(to.name, apart):
                    seen.add(f"{file.name} must not name {to.name}")
        yield from sorted(seen)
