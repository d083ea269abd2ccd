//! `zkwhirl provision`: creates RabbitMQ's topology, before any role starts.

use std::{process::ExitCode, time::Duration};

use anyhow::Context;
use tokio::{
    runtime::Runtime,
    time::{Instant, sleep},
};
use zkwhirl_broker_adapter::{
    BrokerError,
    amqp::{
        AmqpConfig,
        provision::{Role, User, provision},
    },
};

use super::fleet;
use crate::{cli::ProvisionArgs, shell::exit, ui};

/// How long an unreachable broker is retried before provisioning fails.
const PATIENCE: Duration = Duration::from_secs(30);

pub(super) fn run(args: ProvisionArgs) -> anyhow::Result<ExitCode> {
    let mut config = fleet::amqp_config(&args.amqp, "provision")?;
    if let Some(delays) = args.delays_ms {
        config.limits.delays = delays;
    }
    let users = args.users.iter().map(|text| user(text));
    let users = users
        .collect::<anyhow::Result<Vec<_>>>()
        .map_err(exit::usage)?;
    let said = Runtime::new()?
        .block_on(patiently(&config, &users))
        .context("cannot provision RabbitMQ")?;
    for line in said {
        ui::say(&line);
    }
    Ok(ExitCode::SUCCESS)
}

/// Provisions the broker, and retries while a starting broker is unreachable.
/// A retry may declare everything again: declarations are idempotent.
async fn patiently(config: &AmqpConfig, users: &[User]) -> Result<Vec<String>, BrokerError> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match provision(config, users).await {
            Err(BrokerError::Away(why)) if Instant::now() < deadline => {
                tracing::warn!("cannot provision RabbitMQ: {why}; trying again in 1 s");
                sleep(Duration::from_secs(1)).await;
            }
            ended => return ended,
        }
    }
}

/// Parses `ROLE=NAME:PASSWORD`; the password may have any characters.
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
