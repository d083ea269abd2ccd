//! `zkwhirl provision`: makes RabbitMQ's topology, once, before any role.

use std::{process::ExitCode, time::Duration};

use anyhow::Context;
use zkwhirl_broker_adapter::broker::amqp::provision::{Role, User, provision};

use super::fleet;
use crate::{cli::ProvisionArgs, shell::exit, ui};

pub(super) fn run(args: ProvisionArgs) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let mut config = fleet::amqp_config(&args.amqp, "provision")?;
    if let [short, medium, long] = args.delays_ms[..] {
        config.limits.delays = [short, medium, long].map(Duration::from_millis);
    }
    let users = args
        .users
        .iter()
        .map(|text| user(text).map_err(exit::usage))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let said = runtime
        .block_on(provision(&config, &users))
        .context("cannot provision RabbitMQ")?;
    for line in said {
        ui::say(&line);
    }
    Ok(ExitCode::SUCCESS)
}

/// `ROLE=NAME:PASSWORD`; the password may hold anything.
fn user(text: &str) -> anyhow::Result<User> {
    let wrong = || anyhow::anyhow!("--user must look like ROLE=NAME:PASSWORD");
    let (role, login) = text.split_once('=').ok_or_else(wrong)?;
    let (name, password) = login.split_once(':').ok_or_else(wrong)?;
    let role = [Role::Bridge, Role::Worker, Role::Monitor]
        .into_iter()
        .find(|known| known.name() == role)
        .with_context(|| format!("--user: \"{role}\" is not bridge, worker or monitor"))?;
    Ok(User {
        name: name.to_owned(),
        password: password.to_owned(),
        role,
    })
}
