//! Halloumi's ten variables, with Halloumi's meanings. Halloumi accepted any
//! value; here each value is checked.

use std::{net::IpAddr, path::PathBuf};

use anyhow::{Context, anyhow, bail};
use url::Url;
use zkwhirl_bridge::{api::AdminToken, falafel::Upstream};
use zkwhirl_job::{Topic, limits};

use crate::{
    cli::{KeyArgs, ProverArgs, RollupArgs, SizeArgs, UpArgs},
    command::fleet::outer_beside,
};

/// Rows of the largest circuit that BN254's field allows.
const MAX_ROWS: u64 = 1 << 28;
/// The number of points of the reference string that a mock `rollup_cli` reads,
/// as in Halloumi.
const MOCK_ROWS: u64 = 8192;

#[derive(Debug)]
pub(super) struct Settings {
    pub(super) prover: ProverArgs,
    pub(super) upstreams: Vec<Upstream>,
    pub(super) api_prefix: String,
    pub(super) port: u16,
    pub(super) admin: Option<AdminToken>,
}

impl Settings {
    /// Reads the variables. An error is one line with the variable, its value, the
    /// reason and a solution.
    pub(super) fn read(args: &UpArgs) -> anyhow::Result<Self> {
        let proverless = truth("PROVERLESS", &args.proverless)?;
        let inners = count("NUM_OUTER_ROLLUP_PROOFS", &args.inners, limits::INNERS)?;
        let txs = count("NUM_INNER_ROLLUP_TXS", &args.txs, limits::TXS)?;
        let port = port(&args.port)?;
        let rows = rows(&args.max_circuit_size)?;
        Ok(Self {
            prover: ProverArgs {
                rollup: RollupArgs {
                    suite: args.suite,
                    size: SizeArgs { txs, inners },
                },
                keys: KeyArgs {
                    data_dir: data_dir(&args.data_dir)?,
                    max_circuit_size: if proverless { MOCK_ROWS } else { rows },
                    persist: truth("PERSIST", &args.persist)?,
                },
                key_share: None,
                allow_dev_keys: args.allow_dev_keys,
                proverless,
                cli: args.cli.clone(),
                lazy_init: truth("LAZY_INIT", &args.lazy_init)?,
            },
            upstreams: upstreams(args, port)?,
            api_prefix: prefix(&args.api_prefix)?,
            port,
            admin: admin(args.admin_token.as_deref())?,
        })
    }
}

fn rows(text: &str) -> anyhow::Result<u64> {
    let why = match text.parse::<u64>() {
        Err(_) => "is not a number: it must be a power of two, such as 8388608".to_owned(),
        Ok(rows) if !(2..=MAX_ROWS).contains(&rows) => {
            format!("is out of range: it must be 2 to {MAX_ROWS} rows")
        }
        Ok(rows) if rows.is_power_of_two() => return Ok(rows),
        Ok(rows) => {
            let above = rows.next_power_of_two();
            format!("is not a power of two (nearest: {}, {above})", above / 2)
        }
    };
    bail!("MAX_CIRCUIT_SIZE={text} {why}")
}

fn count(variable: &str, text: &str, limit: u32) -> anyhow::Result<u32> {
    let count = text
        .parse()
        .ok()
        .filter(|count| (1..=limit).contains(count));
    count.with_context(|| {
        format!("{variable}={text} must be a number from 1 to {limit}, the same as in Falafel")
    })
}

/// Parses `true` or `false`. Halloumi reads every other text as false.
fn truth(variable: &str, text: &str) -> anyhow::Result<bool> {
    match text {
        "true" => Ok(true),
        "false" | "" => Ok(false),
        _ => bail!("{variable}={text} must be true or false"),
    }
}

fn data_dir(text: &str) -> anyhow::Result<PathBuf> {
    let path = PathBuf::from(text);
    if text.is_empty() || path.is_file() {
        bail!("DATA_DIR={text} is not a directory; a missing directory is created");
    }
    Ok(path)
}

fn prefix(text: &str) -> anyhow::Result<String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/-_.~".contains(c);
    let text = text.strip_suffix('/').unwrap_or(text);
    if text.is_empty() || (text.starts_with('/') && text.chars().all(plain)) {
        return Ok(text.to_owned());
    }
    bail!(
        "API_PREFIX={text} is not a path: it must start with / and have only letters, digits and -_.~"
    )
}

fn port(text: &str) -> anyhow::Result<u16> {
    let port = text.parse().ok();
    port.with_context(|| {
        format!("PORT={text} must be a number from 0 to 65535; 0 takes a free port")
    })
}

/// Refuses an empty token, as of a secret that was never filled in: an empty
/// token would admit every caller.
fn admin(text: Option<&str>) -> anyhow::Result<Option<AdminToken>> {
    match text {
        Some("") => bail!("ZKWHIRL_ADMIN_TOKEN is empty: set a token, or leave it unset"),
        text => Ok(text.map(AdminToken::new)),
    }
}

fn server(variable: &str, text: &str) -> anyhow::Result<Url> {
    let wrong = |why| Err(anyhow!("{variable}={text} {why}"));
    let Ok(url) = Url::parse(text) else {
        return wrong("is not a URL: it must look like http://falafel:8082");
    };
    match url.scheme() {
        "http" if url.has_host() => Ok(url),
        "https" => wrong("needs TLS, which Falafel's job server does not support: use http"),
        _ => wrong("is not an http URL: it must look like http://falafel:8082"),
    }
}

/// The upstreams: the server of inner jobs and, unless this process serves only
/// one topic, the server of outer jobs.
fn upstreams(args: &UpArgs, port: u16) -> anyhow::Result<Vec<Upstream>> {
    let named = server("JOB_SERVER_URL", &args.job_server_url)?;
    let own = |url: &Url| is_own(url, args.api_address, port);
    let outer = args.outer_job_server_url.as_deref();
    let outer = outer.map(|text| server("ZKWHIRL_OUTER_JOB_SERVER_URL", text));
    let outer = outer.transpose()?;
    for (variable, url) in [
        ("JOB_SERVER_URL", Some(&named)),
        ("ZKWHIRL_OUTER_JOB_SERVER_URL", outer.as_ref()),
    ] {
        if let Some(url) = url.filter(|url| own(url)) {
            bail!(
                "{variable}={url} is the address of this process's own API: set PORT to another one"
            );
        }
    }
    let outer = outer.or_else(|| outer_beside(&named).filter(|url| *url != named && !own(url)));
    let topics = [Topic::Inner, Topic::Outer].map(|topic| args.topic.contains(&topic));
    let explicit = args.outer_job_server_url.is_some();
    Ok(match (topics, outer) {
        ([true, true], Some(outer)) => vec![
            Upstream::new("inner", named),
            Upstream::optional("outer", outer),
        ],
        ([false, _], Some(outer)) if explicit => vec![Upstream::new("outer", outer)],
        _ => vec![Upstream::new("inner", named)],
    })
}

/// True if a URL is this process's own API: on one host, Halloumi's default port
/// equals that of Falafel's outer server.
fn is_own(url: &Url, address: IpAddr, port: u16) -> bool {
    let host = url.host_str().unwrap_or_default();
    let loopback = matches!(host, "localhost" | "[::1]") || host.starts_with("127.");
    let served = address.is_unspecified() || address.is_loopback();
    loopback && served && url.port_or_known_default() == Some(port)
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use zkwhirl_job::Sizes;

    use super::*;
    use crate::cli::{Cli, Command};

    fn read(flags: &[&str]) -> anyhow::Result<Settings> {
        let cli = Cli::try_parse_from(["zkwhirl", "up"].iter().chain(flags)).unwrap();
        let Command::Up(args) = cli.command else {
            panic!("up")
        };
        Settings::read(&args)
    }

    #[track_caller]
    fn asks(flags: &[&str], expected: &[&str]) {
        let settings = read(flags).unwrap();
        let upstreams = settings.upstreams.iter();
        let names: Vec<_> = upstreams
            .map(|up| format!("{} {}", up.name, up.base))
            .collect();
        assert_eq!(names, expected, "{flags:?}");
    }

    /// The switches and the largest circuit.
    #[track_caller]
    fn provers(flags: &[&str], expected: ([bool; 3], u64)) {
        let ProverArgs {
            keys,
            proverless,
            lazy_init,
            ..
        } = read(flags).unwrap().prover;
        let switches = [proverless, lazy_init, keys.persist];
        assert_eq!((switches, keys.max_circuit_size), expected);
    }

    #[test]
    fn the_defaults_are_halloumis() {
        let settings = read(&["--port=8090"]).unwrap();
        let sizes = settings.prover.rollup.rollups().unwrap().sizes;
        assert_eq!(sizes, Sizes::new(1, 1).unwrap());
        assert_eq!(settings.prover.keys.data_dir, PathBuf::from("./data"));
        assert_eq!(settings.api_prefix, "");
        assert_eq!(read(&[]).unwrap().port, 8083);
        provers(&[], ([false; 3], 8_388_608));
    }

    #[test]
    fn an_empty_variable_is_false_as_an_unset_one() {
        let flags = ["--proverless=", "--lazy-init=true", "--persist=true"];
        provers(&flags, ([false, true, true], 8_388_608));
        provers(&["--proverless=true"], ([true, false, false], MOCK_ROWS));
        let prefix = read(&["--api-prefix=/halloumi/"]).unwrap().api_prefix;
        assert_eq!(prefix, "/halloumi");
    }

    /// A flag with a wrong value, and the expected error line.
    const WRONG: &str = "\
--max-circuit-size=3000000  MAX_CIRCUIT_SIZE=3000000 is not a power of two (nearest: 2097152, 4194304)
--max-circuit-size=8m  MAX_CIRCUIT_SIZE=8m is not a number: it must be a power of two, such as 8388608
--max-circuit-size=1  MAX_CIRCUIT_SIZE=1 is out of range: it must be 2 to 268435456 rows
--max-circuit-size=536870912  MAX_CIRCUIT_SIZE=536870912 is out of range: it must be 2 to 268435456 rows
--txs=0  NUM_INNER_ROLLUP_TXS=0 must be a number from 1 to 64, the same as in Falafel
--txs=many  NUM_INNER_ROLLUP_TXS=many must be a number from 1 to 64, the same as in Falafel
--inners=65  NUM_OUTER_ROLLUP_PROOFS=65 must be a number from 1 to 64, the same as in Falafel
--proverless=yes  PROVERLESS=yes must be true or false
--lazy-init=TRUE  LAZY_INIT=TRUE must be true or false
--persist=1  PERSIST=1 must be true or false
--data-dir=  DATA_DIR= is not a directory; a missing directory is created
--data-dir=/proc/version  DATA_DIR=/proc/version is not a directory; a missing directory is created
--job-server-url=falafel  JOB_SERVER_URL=falafel is not a URL: it must look like http://falafel:8082
--job-server-url=ftp://falafel  JOB_SERVER_URL=ftp://falafel is not an http URL: it must look like http://falafel:8082
--job-server-url=https://falafel:8082  JOB_SERVER_URL=https://falafel:8082 needs TLS, which Falafel's job server does not support: use http
--job-server-url=http://localhost:8083  JOB_SERVER_URL=http://localhost:8083/ is the address of this process's own API: set PORT to another one
--outer-job-server-url=nowhere  ZKWHIRL_OUTER_JOB_SERVER_URL=nowhere is not a URL: it must look like http://falafel:8082
--outer-job-server-url=http://localhost:8083  ZKWHIRL_OUTER_JOB_SERVER_URL=http://localhost:8083/ is the address of this process's own API: set PORT to another one
--api-prefix=halloumi  API_PREFIX=halloumi is not a path: it must start with / and have only letters, digits and -_.~
--port=65536  PORT=65536 must be a number from 0 to 65535; 0 takes a free port
--admin-token=  ZKWHIRL_ADMIN_TOKEN is empty: set a token, or leave it unset";

    #[test]
    fn every_wrong_value_is_one_line_with_variable_reason_and_way_out() {
        for case in WRONG.lines() {
            let (flag, line) = case.split_once("  ").unwrap();
            assert_eq!(read(&[flag]).unwrap_err().to_string(), line, "{flag}");
        }
    }

    #[test]
    fn both_of_falafels_servers_are_asked_unless_one_is_this_process() {
        let (inner, outer) = ("inner http://falafel:8082/", "outer http://falafel:8083/");
        let falafel = "--job-server-url=http://falafel:8082";
        asks(&[falafel], &[inner, outer]);
        let elsewhere = "--outer-job-server-url=http://other:9";
        asks(&[falafel, elsewhere], &[inner, "outer http://other:9/"]);
        // On one host with both defaults, 8083 is this process's port.
        let local = "inner http://localhost:8082/";
        asks(&[], &[local]);
        asks(&["--port=80"], &[local, "outer http://localhost:8083/"]);
        // An outer Halloumi's setting.
        let second = "--job-server-url=http://falafel:8083";
        asks(&[second], &["inner http://falafel:8083/"]);
        // An instance for one topic asks one server.
        asks(&["--topic=inner", falafel], &[inner]);
        asks(&["--topic=outer", second], &["inner http://falafel:8083/"]);
        let named = "--outer-job-server-url=http://falafel:8083";
        asks(&["--topic=outer", named], &[outer]);
    }
}
