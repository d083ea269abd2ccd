//! Tests that the manifests of `k8s/` set only variables that the roles read.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use clap::{CommandFactory, Parser};
use serde_json::Value;

use super::variables;
use crate::{
    cli::{Cli, Command},
    shell::kubernetes::{ACCOUNT, Kubernetes},
};

/// Variables of one manifest, with their values; `None` for a secret's value.
type Variables = BTreeMap<String, Option<String>>;

fn read(file: &str) -> String {
    let k8s = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../k8s");
    fs::read_to_string(k8s.join(file)).unwrap()
}

/// Upper-case names of a YAML manifest: `- name: A` or `- {name: A, value: b}`.
fn of_yaml(file: &str) -> Variables {
    let documents: Vec<Value> = serde_saphyr::from_multiple(&read(file)).unwrap();
    let mut variables = Variables::new();
    collect(&documents.into(), &mut variables);
    variables
}

fn collect(value: &Value, variables: &mut Variables) {
    let upper = |name: &&str| name.bytes().all(|b| b.is_ascii_uppercase() || b == b'_');
    if let Some(name) = value["name"].as_str().filter(upper) {
        let value = value["value"].as_str().map(str::to_owned);
        variables.insert(name.to_owned(), value);
    }
    let items = value.as_array().into_iter().flatten();
    let fields = value.as_object().into_iter().flat_map(|all| all.values());
    items
        .chain(fields)
        .for_each(|inner| collect(inner, variables));
}

/// `A=b` lines.
fn of_env(file: &str) -> Variables {
    let lines = read(file);
    let pairs = lines.lines().filter(|line| !line.starts_with('#'));
    pairs
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name.to_owned(), Some(value.to_owned())))
        .collect()
}

fn role(file: &str) -> Variables {
    let mut all = of_env("base/fleet.env");
    all.extend(of_yaml("base/proving.yaml"));
    all.extend(of_yaml(file));
    all
}

/// Variable → flag of a sub-command.
fn flags(role: &str) -> BTreeMap<String, String> {
    let cli = Cli::command();
    let command = cli.find_subcommand(role).unwrap();
    let all = command.get_arguments().chain(cli.get_arguments());
    all.filter_map(|flag| {
        let variable = flag.get_env()?.to_str()?.to_owned();
        Some((variable, flag.get_long()?.to_owned()))
    })
    .collect()
}

/// The command line that is equivalent to the variables.
fn parsed(role: &str, variables: &Variables) -> Command {
    let flags = flags(role);
    let mut line = vec!["zkwhirl".to_owned(), role.to_owned()];
    for (name, value) in variables {
        let flag = flags
            .get(name)
            .unwrap_or_else(|| panic!("{role} reads no {name}"));
        let value = value.as_deref().unwrap_or("redis://secret:6379");
        line.push(format!("--{flag}={value}"));
    }
    Cli::try_parse_from(line).unwrap().command
}

#[test]
fn the_bridge_reads_every_variable_that_its_manifest_sets() {
    let Command::Bridge(bridge) = parsed("bridge", &role("base/bridge.yaml")) else {
        panic!("no bridge");
    };
    let sizes = bridge.prover.rollup.size.sizes().unwrap();
    assert_eq!((sizes.txs_per_inner(), sizes.inners_per_root()), (28, 32));
    assert!(!bridge.prover.proverless && !bridge.prover.allow_dev_keys);
}

#[test]
fn the_bridge_finds_kubernetes_where_the_component_says() {
    let mut variables = role("base/bridge.yaml");
    variables.extend(of_yaml("components/pod-deletion-cost/bridge.yaml"));
    let Command::Bridge(bridge) = parsed("bridge", &variables) else {
        panic!("no bridge");
    };
    Kubernetes::new(bridge.kubernetes_api.unwrap(), Path::new(ACCOUNT)).unwrap();
}

#[test]
fn no_file_names_a_variable_that_nothing_reads() {
    let known = variables(&Cli::command());
    let mut folders = vec![PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../k8s")];
    let mut named = 0;
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = fs::read_to_string(&path).unwrap();
            let lines = text
                .lines()
                .filter(|line| !line.trim_start().starts_with('#'));
            let words =
                lines.flat_map(|line| line.split(|c: char| !c.is_alphanumeric() && c != '_'));
            for word in words.filter(|word| word.starts_with("ZKWHIRL_")) {
                let is_known = known.iter().any(|name| name == word);
                assert!(is_known, "{}: {word}", path.display());
                named += 1;
            }
        }
    }
    assert!(named > 20, "{named}");
}

#[test]
fn workers_read_every_variable_that_their_manifests_set() {
    for (file, topic, drain_s) in [
        ("base/worker-inner.yaml", "inner", 840),
        ("base/worker-inner-base.yaml", "inner", 840),
        ("base/worker-outer.yaml", "outer", 3540),
    ] {
        let Command::Worker(worker) = parsed("worker", &role(file)) else {
            panic!("no worker");
        };
        let topics: Vec<_> = worker.topic.iter().map(ToString::to_string).collect();
        assert_eq!(topics, [topic]);
        assert_eq!(worker.slots.exactly(), Some(1), "a pod for a job");
        assert_eq!(worker.drain_s, drain_s);
        assert!(!worker.overcommit && worker.name.is_some());
    }
}

#[test]
fn the_planner_expects_the_drain_of_the_manifests() {
    let inner = of_yaml("base/worker-inner.yaml");
    let Command::Plan(plan) = Cli::try_parse_from(["zkwhirl", "plan"]).unwrap().command else {
        panic!("no plan");
    };
    let drain = inner["ZKWHIRL_DRAIN_S"].as_deref();
    assert_eq!(drain, Some(&*plan.fleet.drain_seconds.to_string()));
}

#[test]
fn provision_reads_its_variables_and_the_users_are_arguments() {
    let mut variables = of_yaml("base/provision.yaml");
    let arguments = read("base/provision.yaml");
    for user in ["BRIDGE_USER", "WORKER_USER"] {
        assert!(variables.remove(user).is_some());
        assert!(arguments.contains(&format!("--user=$({user})")));
    }
    let flags = flags("provision");
    assert!(variables.keys().all(|name| flags.contains_key(name)));
    assert_eq!(variables.len(), 2);
}

#[test]
fn a_misspelt_variable_would_be_seen() {
    let mut variables = role("base/worker-inner.yaml");
    variables.insert("ZKWHIRL_DRAINS".to_owned(), Some("1".to_owned()));
    let misspelt = std::panic::catch_unwind(|| parsed("worker", &variables));
    assert!(misspelt.is_err());
}
