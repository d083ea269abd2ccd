//! Halloumi's ten variables, with Halloumi's meanings. Halloumi accepted any
//! value; here each value is checked.

use std::{net::IpAddr, path::PathBuf};

use anyhow::{Context, anyhow, bail};
use url::Url;
use zkwhirl_bridge::{api::AdminToken, falafel::Upstream};
use zkwhirl_job::{Sizes, Topic, limits};

use crate::cli::UpArgs;

/// Rows of the largest circuit that BN254's field allows.
const MAX_ROWS: u64 = 1 << 28;
/// The port of Falafel's server of outer jobs, which cannot be set there.
const OUTER_PORT: u16 = 8083;

/// The checked values.
#[derive(Debug)]
pub(super) struct Settings {
    pub(super) max_circuit_size: u64,
    pub(super) sizes: Sizes,
    pub(super) proverless: bool,
    pub(super) lazy_init: bool,
    pub(super) persist: bool,
    pub(super) data_dir: PathBuf,
    pub(super) upstreams: Vec<Upstream>,
    pub(super) api_prefix: String,
    pub(super) port: u16,
    pub(super) admin: Option<AdminToken>,
}

impl Settings {
    /// Reads the variables. An error is one line: variable, value, reason, way
    /// out.
    pub(super) fn read(args: &UpArgs) -> anyhow::Result<Self> {
        let proverless = truth("PROVERLESS", &args.proverless)?;
        let inners = count("NUM_OUTER_ROLLUP_PROOFS", &args.inners, limits::INNERS)?;
        let txs = count("NUM_INNER_ROLLUP_TXS", &args.txs, limits::TXS)?;
        let port = port(&args.port)?;
        Ok(Self {
            max_circuit_size: rows(&args.max_circuit_size)?,
            sizes: Sizes::new(txs, inners)?,
            proverless,
            lazy_init: truth("LAZY_INIT", &args.lazy_init)?,
            persist: truth("PERSIST", &args.persist)?,
            data_dir: data_dir(&args.data_dir)?,
            upstreams: upstreams(args, port)?,
            api_prefix: prefix(&args.api_prefix)?,
            port,
            admin: admin(args.admin_token.as_deref())?,
        })
    }
}

fn rows(text: &str) -> anyhow::Result<u64> {
    let wrong = |why: String| Err(anyhow!("MAX_CIRCUIT_SIZE={text} {why}"));
    let Ok(rows) = text.parse::<u64>() else {
        return wrong("is no number: a power of two is needed, as 8388608".to_owned());
    };
    if !(2..=MAX_ROWS).contains(&rows) {
        return wrong(format!(
            "is out of range: 2 to {MAX_ROWS} rows are possible"
        ));
    }
    if !rows.is_power_of_two() {
        let above = rows.next_power_of_two();
        return wrong(format!(
            "is not a power of two (nearest: {}, {above})",
            above / 2
        ));
    }
    Ok(rows)
}

fn count(variable: &str, text: &str, limit: u32) -> anyhow::Result<u32> {
    text.parse()
        .ok()
        .filter(|count| (1..=limit).contains(count))
        .with_context(|| {
            format!("{variable}={text} must be a number from 1 to {limit}, as Falafel's")
        })
}

/// Halloumi read every text but `true` as false, including misspelt ones.
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
        bail!("DATA_DIR={text} is no directory: name one, it is made when it is missing");
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
        "API_PREFIX={text} is no path: it must start with / and have letters, digits and -_.~ only"
    )
}

fn port(text: &str) -> anyhow::Result<u16> {
    let port = text.parse().ok();
    port.with_context(|| {
        format!("PORT={text} must be a number from 0 to 65535; 0 takes a free port")
    })
}

/// An empty token, the value of a secret that was never filled in, would admit
/// every caller.
fn admin(text: Option<&str>) -> anyhow::Result<Option<AdminToken>> {
    match text {
        Some("") => bail!("ZKWHIRL_ADMIN_TOKEN is empty: set a token, or leave it unset"),
        text => Ok(text.map(AdminToken::new)),
    }
}

fn server(variable: &str, text: &str) -> anyhow::Result<Url> {
    let wrong = |why| Err(anyhow!("{variable}={text} {why}"));
    let Ok(url) = Url::parse(text) else {
        return wrong("is no URL: it must look like http://falafel:8082");
    };
    match url.scheme() {
        "http" if url.has_host() => Ok(url),
        "https" => wrong("asks for TLS, which Falafel's job server does not speak: use http"),
        _ => wrong("is no http URL: it must look like http://falafel:8082"),
    }
}

/// The upstreams: the server of inner jobs and, unless this instance serves one
/// topic only, the server of outer jobs.
fn upstreams(args: &UpArgs, port: u16) -> anyhow::Result<Vec<Upstream>> {
    let named = server("JOB_SERVER_URL", &args.job_server_url)?;
    let own = |url: &Url| is_own(url, args.api_address, port);
    if own(&named) {
        bail!(
            "JOB_SERVER_URL={named} is where this process serves its own API: set PORT to another one"
        );
    }
    let outer = args.outer_job_server_url.as_deref();
    let outer = outer.map(|text| server("ZKWHIRL_OUTER_JOB_SERVER_URL", text));
    let outer = match outer.transpose()? {
        Some(outer) if own(&outer) => {
            bail!(
                "ZKWHIRL_OUTER_JOB_SERVER_URL={outer} is where this process serves its own API: \
                 set PORT to another one"
            );
        }
        Some(outer) => Some(outer),
        None => beside(&named).filter(|url| *url != named && !own(url)),
    };
    let topics = (
        args.topic.contains(&Topic::Inner),
        args.topic.contains(&Topic::Outer),
    );
    let explicit = args.outer_job_server_url.is_some();
    Ok(match (topics, outer) {
        ((true, true), Some(outer)) => vec![
            Upstream::new("inner", named),
            Upstream::optional("outer", outer),
        ],
        ((false, _), Some(outer)) if explicit => vec![Upstream::new("outer", outer)],
        _ => vec![Upstream::new("inner", named)],
    })
}

/// Port 8083 of the same host.
fn beside(named: &Url) -> Option<Url> {
    let mut outer = named.clone();
    outer.set_port(Some(OUTER_PORT)).ok()?;
    Some(outer)
}

/// Whether a URL on this machine is the API's own: on one host Halloumi's
/// default port is that of Falafel's outer server.
fn is_own(url: &Url, address: IpAddr, port: u16) -> bool {
    let host = url.host_str().unwrap_or_default();
    let loopback = matches!(host, "localhost" | "[::1]") || host.starts_with("127.");
    let served = address.is_unspecified() || address.is_loopback();
    loopback && served && url.port_or_known_default() == Some(port)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

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
    fn names(flags: &[&str]) -> Vec<String> {
        let settings = read(flags).unwrap();
        let each = settings.upstreams.iter();
        each.map(|up| format!("{} {}", up.name, up.base)).collect()
    }

    #[test]
    fn the_defaults_are_halloumis() {
        let settings = read(&["--port=8090"]).unwrap();
        assert_eq!(settings.max_circuit_size, 8_388_608);
        assert_eq!(settings.sizes, Sizes::new(1, 1).unwrap());
        let flags = (settings.proverless, settings.lazy_init, settings.persist);
        assert_eq!(flags, (false, false, false));
        assert_eq!(settings.data_dir, PathBuf::from("./data"));
        assert_eq!(settings.api_prefix, "");
        assert_eq!(read(&[]).unwrap().port, 8083);
    }

    #[test]
    fn every_wrong_value_is_one_line_with_variable_reason_and_way_out() {
        let table = [
            (
                "--max-circuit-size=3000000",
                "MAX_CIRCUIT_SIZE=3000000 is not a power of two (nearest: 2097152, 4194304)",
            ),
            (
                "--max-circuit-size=8m",
                "MAX_CIRCUIT_SIZE=8m is no number: a power of two is needed, as 8388608",
            ),
            (
                "--max-circuit-size=1",
                "MAX_CIRCUIT_SIZE=1 is out of range: 2 to 268435456 rows are possible",
            ),
            (
                "--max-circuit-size=536870912",
                "MAX_CIRCUIT_SIZE=536870912 is out of range: 2 to 268435456 rows are possible",
            ),
            (
                "--txs=0",
                "NUM_INNER_ROLLUP_TXS=0 must be a number from 1 to 64, as Falafel's",
            ),
            (
                "--txs=many",
                "NUM_INNER_ROLLUP_TXS=many must be a number from 1 to 64, as Falafel's",
            ),
            (
                "--inners=65",
                "NUM_OUTER_ROLLUP_PROOFS=65 must be a number from 1 to 64, as Falafel's",
            ),
            ("--proverless=yes", "PROVERLESS=yes must be true or false"),
            ("--lazy-init=TRUE", "LAZY_INIT=TRUE must be true or false"),
            ("--persist=1", "PERSIST=1 must be true or false"),
            (
                "--data-dir=",
                "DATA_DIR= is no directory: name one, it is made when it is missing",
            ),
            (
                "--data-dir=/proc/version",
                "DATA_DIR=/proc/version is no directory: name one, it is made when it is missing",
            ),
            (
                "--job-server-url=falafel",
                "JOB_SERVER_URL=falafel is no URL: it must look like http://falafel:8082",
            ),
            (
                "--job-server-url=ftp://falafel",
                "JOB_SERVER_URL=ftp://falafel is no http URL: it must look like http://falafel:8082",
            ),
            (
                "--job-server-url=https://falafel:8082",
                "JOB_SERVER_URL=https://falafel:8082 asks for TLS, which Falafel's job server does not speak: use http",
            ),
            (
                "--job-server-url=http://localhost:8083",
                "JOB_SERVER_URL=http://localhost:8083/ is where this process serves its own API: set PORT to another one",
            ),
            (
                "--outer-job-server-url=nowhere",
                "ZKWHIRL_OUTER_JOB_SERVER_URL=nowhere is no URL: it must look like http://falafel:8082",
            ),
            (
                "--api-prefix=halloumi",
                "API_PREFIX=halloumi is no path: it must start with / and have letters, digits and -_.~ only",
            ),
            (
                "--port=65536",
                "PORT=65536 must be a number from 0 to 65535; 0 takes a free port",
            ),
            (
                "--admin-token=",
                "ZKWHIRL_ADMIN_TOKEN is empty: set a token, or leave it unset",
            ),
        ];
        for (flag, line) in table {
            assert_eq!(read(&[flag]).unwrap_err().to_string(), line, "{flag}");
        }
    }

    #[test]
    fn an_empty_variable_is_false_as_an_unset_one() {
        let settings = read(&["--proverless=", "--lazy-init=true", "--persist=true"]).unwrap();
        let flags = (settings.proverless, settings.lazy_init, settings.persist);
        assert_eq!(flags, (false, true, true));
        assert_eq!(
            read(&["--api-prefix=/halloumi/"]).unwrap().api_prefix,
            "/halloumi"
        );
    }

    #[test]
    fn both_of_falafels_servers_are_asked_unless_one_is_this_process() {
        let falafel = "--job-server-url=http://falafel:8082";
        let both = ["inner http://falafel:8082/", "outer http://falafel:8083/"];
        assert_eq!(names(&[falafel]), both);
        let elsewhere = "--outer-job-server-url=http://other:9";
        assert_eq!(names(&[falafel, elsewhere])[1], "outer http://other:9/");
        // On one host with both defaults 8083 is ours.
        assert_eq!(names(&[]), ["inner http://localhost:8082/"]);
        let moved = names(&["--port=80"]);
        assert_eq!(moved[1], "outer http://localhost:8083/");
        // An outer Halloumi's setting.
        let outer = "--job-server-url=http://falafel:8083";
        assert_eq!(names(&[outer]), ["inner http://falafel:8083/"]);
    }

    #[test]
    fn an_instance_for_one_topic_asks_one_server() {
        let falafel = "--job-server-url=http://falafel:8082";
        assert_eq!(
            names(&["--topic=inner", falafel]),
            ["inner http://falafel:8082/"]
        );
        let outer = "--job-server-url=http://falafel:8083";
        assert_eq!(
            names(&["--topic=outer", outer]),
            ["inner http://falafel:8083/"]
        );
        let named = "--outer-job-server-url=http://falafel:8083";
        assert_eq!(
            names(&["--topic=outer", named]),
            ["outer http://falafel:8083/"]
        );
    }
}
