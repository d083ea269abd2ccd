//! Makes the topology: once, by an operator or a deployment, before any role starts.
//! A second run changes nothing except users, and policies whose limits differ.

use std::sync::Arc;

use lapin::{
    Channel,
    options::{ExchangeBindOptions, ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions},
    types::{AMQPValue, FieldTable},
};
use serde_json::json;
use tokio::runtime::Handle;
use zkwhirl_job::named;

use super::{
    config::AmqpConfig,
    link::AmqpLink,
    management::ManagementApi,
    names::{EXCHANGES, bindings, queues},
    policies::{Version, policies},
};
use crate::BrokerError;

named! {
    /// The role of a user of the broker, which determines the user's permissions.
    pub enum Role {
        /// Publishes jobs, reads results, reads and replays dead letters.
        Bridge = "bridge",
        /// Reads jobs, publishes results, retries and dead letters. It cannot
        /// forge a new job nor read a result; it can purge the queues it reads.
        Worker = "worker",
        /// Reads the management API; has no permission on exchanges and queues.
        Monitor = "monitor",
    }
}

impl Role {
    /// The role's regular expressions for configure, write (to exchanges) and read
    /// (from queues). Every process may have its own queue for control messages.
    /// The bridge counts jobs and rungs, for which RabbitMQ since 4.3.1 requires any
    /// permission on the queue: write is the harmless one.
    fn permissions(self) -> [&'static str; 3] {
        const CONTROL: &str = r"^zkwhirl\.control\..+$";
        match self {
            Self::Bridge => [
                CONTROL,
                r"^zkwhirl\.(jobs|retry|dead|control)(\..+)?$",
                r"^zkwhirl\.((results|dead)\.v1|control(\..+)?)$",
            ],
            Self::Worker => [
                CONTROL,
                r"^zkwhirl\.(results|retry|dead)$|^zkwhirl\.control\..+$",
                r"^zkwhirl\.(jobs\.(inner|outer)\.v1|control(\..+)?)$",
            ],
            Self::Monitor => ["^$", "^$", "^$"],
        }
    }

    fn tags(self) -> &'static str {
        match self {
            // The counts of jobs in flight come from the management API.
            Self::Bridge | Self::Monitor => "monitoring",
            Self::Worker => "",
        }
    }
}

/// A user of RabbitMQ that `provision` makes.
#[derive(Clone)]
pub struct User {
    /// The name that the user logs in with.
    pub name: String,
    /// The user's password.
    pub password: String,
    /// The role, which determines the user's permissions.
    pub role: Role,
}

impl std::fmt::Debug for User {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "User({}, {:?})", self.name, self.role)
    }
}

/// Makes vhost, policies, exchanges, queues, bindings and users; the AMQP user needs
/// the permissions for it. Returns one line for each thing made and, without a
/// management API, the commands that an operator must run.
pub async fn provision(config: &AmqpConfig, users: &[User]) -> Result<Vec<String>, BrokerError> {
    let mut said = Vec::new();
    let api = config
        .management
        .as_ref()
        .map(ManagementApi::new)
        .transpose()?;
    if let Some(api) = &api {
        said.push(make_vhost(api, config).await?);
        said.push(make_policies(api, config).await?);
    }
    said.push(declare(config).await?);
    match &api {
        Some(api) => {
            for user in users {
                said.push(make_user(api, config.vhost(), user).await?);
            }
        }
        None => said.extend(by_hand(config, users)),
    }
    Ok(said)
}

async fn make_vhost(api: &ManagementApi, config: &AmqpConfig) -> Result<String, BrokerError> {
    let vhost = config.vhost();
    let is_there = api.get(&["vhosts", vhost]).await?.is_some();
    if !is_there {
        api.put(&["vhosts", vhost], &json!({})).await?;
    }
    let all = json!({ "configure": ".*", "write": ".*", "read": ".*" });
    let mut owners = vec![&*api.user];
    owners.extend(config.hosts.first().map(|host| host.user()));
    owners.dedup();
    for owner in owners {
        // RabbitMQ may have made the vhost although its answer came too late: then
        // the vhost has no owner yet. Existing permissions stay unchanged.
        let path = ["permissions", vhost, owner];
        if api.get(&path).await?.is_none() {
            api.put(&path, &all).await?;
        }
    }
    let found = if is_there { "exists" } else { "made" };
    Ok(format!("vhost {vhost}: {found}"))
}

/// Sets the policies, before the queues exist: no message meets a queue without limits.
async fn make_policies(api: &ManagementApi, config: &AmqpConfig) -> Result<String, BrokerError> {
    let all = policies(&config.limits, version(api).await?);
    for policy in &all {
        let path = ["policies", config.vhost(), &policy.name];
        api.put(&path, &policy.body()).await?;
    }
    Ok(format!("policies: {} set", all.len()))
}

pub(super) async fn version(api: &ManagementApi) -> Result<Version, BrokerError> {
    let overview = api.get(&["overview"]).await?.unwrap_or_default();
    let text = overview["rabbitmq_version"].as_str().unwrap_or_default();
    Version::parse(text)
        .ok_or_else(|| BrokerError::Away(format!("RabbitMQ reports no version but \"{text}\"")))
}

async fn declare(config: &AmqpConfig) -> Result<String, BrokerError> {
    let config = Arc::new(config.clone());
    let link = AmqpLink::start("provision", config.clone(), &Handle::current());
    link.live(config.connect_timeout).await?;
    let channel = link.channel().await?;
    let declared = declare_on(&channel, &config).await;
    link.close().await;
    declared
}

async fn declare_on(channel: &Channel, config: &AmqpConfig) -> Result<String, BrokerError> {
    for (name, kind) in EXCHANGES {
        let options = ExchangeDeclareOptions {
            durable: true,
            ..ExchangeDeclareOptions::default()
        };
        let made = channel.exchange_declare(name.into(), kind, options, FieldTable::default());
        let what = format!("declaring the exchange {name}");
        config.call(&what, made).await?;
    }
    for name in queues() {
        let mut arguments = FieldTable::default();
        let quorum = AMQPValue::LongString("quorum".into());
        arguments.insert("x-queue-type".into(), quorum);
        let options = QueueDeclareOptions::durable();
        let made = channel.queue_declare(name.into(), options, arguments);
        let what = format!("declaring the queue {name}");
        config.call(&what, made).await?;
    }
    for (from, key, to, is_exchange) in bindings() {
        let (source, key) = (from.into(), key.as_str().into());
        let (options, table) = (QueueBindOptions::default(), FieldTable::default());
        let bound = async {
            if is_exchange {
                let options = ExchangeBindOptions::default();
                let bound = channel.exchange_bind(to.into(), source, key, options, table);
                return bound.await;
            }
            let bound = channel.queue_bind(to.into(), source, key, options, table);
            bound.await
        };
        let what = format!("binding {to} to {from}");
        config.call(&what, bound).await?;
    }
    let (exchanges, queues, bindings) = (EXCHANGES.len(), queues().len(), bindings().len());
    Ok(format!(
        "topology: {exchanges} exchanges, {queues} queues, {bindings} bindings exist"
    ))
}

async fn make_user(api: &ManagementApi, vhost: &str, user: &User) -> Result<String, BrokerError> {
    let (name, role) = (&user.name, user.role);
    let account = json!({ "password": user.password, "tags": role.tags() });
    api.put(&["users", name], &account).await?;
    let [configure, write, read] = role.permissions();
    let permissions = json!({ "configure": configure, "write": write, "read": read });
    api.put(&["permissions", vhost, name], &permissions).await?;
    Ok(format!("user {name}: {}", role.name()))
}

/// The lines with the commands to run on a broker without a management API.
fn by_hand(config: &AmqpConfig, users: &[User]) -> Vec<String> {
    let begin =
        "policies: not set for lack of a management URL; run on one of the broker's machines:";
    let mut said = vec![begin.to_owned()];
    let vhost = config.vhost();
    let oldest = policies(&config.limits, Version::OLDEST);
    said.extend(oldest.iter().map(|policy| policy.command(vhost)));
    for user in users {
        let [configure, write, read] = user.role.permissions();
        let name = &user.name;
        said.push(format!("rabbitmqctl add_user {name}"));
        said.push(format!(
            "rabbitmqctl set_permissions -p {vhost} {name} '{configure}' '{write}' '{read}'"
        ));
    }
    said
}

/// Removes the vhost with all its queues and messages, for tests.
#[cfg(any(test, feature = "test-util"))]
pub async fn remove_vhost(config: &AmqpConfig) -> Result<(), BrokerError> {
    let Some(management) = &config.management else {
        return Err(BrokerError::Refused("there is no management URL".into()));
    };
    let api = ManagementApi::new(management)?;
    api.delete(&["vhosts", config.vhost()]).await
}
