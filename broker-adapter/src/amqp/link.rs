//! A connection to RabbitMQ that is made again whenever it is lost.
//!
//! lapin's own recovery is not used: it hides an outage from the consumers,
//! supports one host and gives up in the end. Each connection has a generation; a
//! delivery of an older generation can no longer be settled.

use std::sync::Arc;

use lapin::{Channel, Connection, ConnectionProperties, Event};
use rand::Rng;
use tokio::{
    runtime::Handle,
    sync::watch,
    task::AbortHandle,
    time::{Duration, Instant, interval, sleep, timeout},
};
use zkwhirl_telemetry::catalogue::process::BROKER_CONNECTED;

use super::{
    config::{AmqpConfig, Endpoint},
    error::{away, next},
};
use crate::BrokerError;
use zkwhirl_job::clock::Backoff;

/// How often the state of an idle connection is read.
const LOOK: Duration = Duration::from_millis(500);
/// How long a connection must last to make the next pause short again.
const GOOD: Duration = Duration::from_secs(10);

/// The current connection of one role, if it is connected.
#[derive(Debug)]
pub(super) struct AmqpLink {
    role: &'static str,
    config: Arc<AmqpConfig>,
    state: watch::Receiver<LinkState>,
    reconnector: AbortHandle,
}

/// The connection, or the error of the last try to connect.
type LinkState = Result<Arc<LiveConnection>, BrokerError>;

#[derive(Debug)]
pub(super) struct LiveConnection {
    pub(super) host: String,
    pub(super) generation: u64,
    connection: Connection,
}

impl AmqpLink {
    pub(super) fn start(role: &'static str, config: Arc<AmqpConfig>, runtime: &Handle) -> Self {
        let (sender, state) = watch::channel(Err(BrokerError::Away("not connected yet".into())));
        let reconnector = Reconnector {
            role,
            config: config.clone(),
            state: sender,
        };
        Self {
            role,
            config,
            state,
            reconnector: runtime.spawn(reconnector.run()).abort_handle(),
        }
    }

    /// Waits for a connection, for at most `patience`.
    pub(super) async fn live(
        &self,
        patience: Duration,
    ) -> Result<Arc<LiveConnection>, BrokerError> {
        let mut state = self.state.clone();
        if let Ok(Ok(state)) = timeout(patience, state.wait_for(Result::is_ok)).await
            && let Ok(live) = &*state
        {
            return Ok(live.clone());
        }
        match &*self.state.borrow() {
            Err(why) => Err(why.clone()),
            Ok(_) => Err(BrokerError::Away("the connection is unstable".into())),
        }
    }

    pub(super) async fn channel(&self) -> Result<Channel, BrokerError> {
        let live = self.live(self.config.patience).await?;
        let opening = live.connection.create_channel();
        self.config.call("opening a channel", opening).await
    }

    /// The host and the generation of the connection, if connected.
    pub(super) fn now(&self) -> Option<(String, u64)> {
        let state = self.state.borrow();
        let live = state.as_ref().ok()?;
        Some((live.host.clone(), live.generation))
    }

    /// Whether the broker has sent `connection.blocked`: it takes no messages.
    pub(super) fn blocked(&self) -> bool {
        let state = self.state.borrow();
        let live = state.as_ref();
        live.is_ok_and(|live| live.connection.status().blocked())
    }

    /// Closes the connection with an AMQP close.
    pub(super) async fn close(&self) {
        self.reconnector.abort();
        let state = self.state.borrow().clone();
        if let Ok(live) = state {
            let closing = live.connection.close(200, "OK".into());
            if let Err(error) = self.config.call("closing", closing).await {
                tracing::debug!(
                    "{}: cannot close the connection to RabbitMQ: {error}",
                    self.role
                );
            }
        }
    }
}

impl Drop for AmqpLink {
    fn drop(&mut self) {
        self.reconnector.abort();
    }
}

/// Connects again after every loss. It and its connections run on AMQP's runtime.
struct Reconnector {
    role: &'static str,
    config: Arc<AmqpConfig>,
    state: watch::Sender<LinkState>,
}

impl Reconnector {
    async fn run(self) {
        let hosts = &self.config.hosts;
        let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(5));
        let mut at = rand::thread_rng().gen_range(0..hosts.len().max(1));
        let mut generation = 0;
        let mut tried = 0;
        while let Some(host) = hosts.get(at) {
            match self.connect(host).await {
                Ok(connection) => {
                    generation += 1;
                    tried = 0;
                    let since = Instant::now();
                    let why = self.serve(host, generation, connection).await;
                    tracing::warn!("{} lost its connection to {host}: {why}", self.role);
                    self.down(format!("{host}: {why}"));
                    if since.elapsed() >= GOOD {
                        backoff.reset();
                    }
                }
                Err(error) => {
                    tried += 1;
                    self.unreachable(host, &error);
                }
            }
            at = (at + 1) % hosts.len();
            // After an outage the other hosts are tried at once. A pause follows each
            // round without success.
            if tried == 0 || tried % hosts.len() == 0 {
                sleep(backoff.pause()).await;
            }
        }
    }

    /// Publishes the state and its metric; `provision`'s connection has no metric.
    fn show(&self, state: LinkState, up: f64) {
        if ["publisher", "consumer"].contains(&self.role) {
            BROKER_CONNECTED.set([self.role], up);
        }
        self.state.send_modify(|shown| *shown = state);
    }

    fn down(&self, why: String) {
        self.show(Err(BrokerError::Away(why)), 0.0);
    }

    fn unreachable(&self, host: &Endpoint, error: &BrokerError) {
        let BrokerError::Away(why) = error else {
            return;
        };
        let others = match self.config.hosts.len() - 1 {
            0 => String::new(),
            1 => ", nor one other host".into(),
            n => format!(", nor {n} other hosts"),
        };
        tracing::debug!("{} cannot connect to {host}: {why}", self.role);
        self.down(format!("cannot reach RabbitMQ at {host}{others}: {why}"));
    }

    async fn connect(&self, host: &Endpoint) -> Result<Connection, BrokerError> {
        let config = &self.config;
        let mut uri = host.uri.clone();
        uri.query.heartbeat = Some(config.heartbeat.as_secs().clamp(1, 600) as u16);
        uri.query.connection_timeout = Some(config.connect_timeout.as_millis() as u64);
        let name = format!("{} ({})", config.name, self.role);
        let properties = ConnectionProperties::default().with_connection_name(name.into());
        let connecting = async {
            let runtime = lapin::runtime::default_runtime()?;
            Connection::connect_uri_with_config(uri, properties, config.tls(), runtime).await
        };
        match timeout(config.connect_timeout, connecting).await {
            Ok(Ok(connection)) => Ok(connection),
            Ok(Err(error)) => Err(away("no connection", &error)),
            Err(_) => {
                let why = format!("no connection within {:?}", config.connect_timeout);
                Err(BrokerError::Away(why))
            }
        }
    }

    /// Publishes a connection and watches it until it is lost; returns the reason.
    async fn serve(&self, host: &Endpoint, generation: u64, connection: Connection) -> String {
        let mut events = Box::pin(connection.events_listener());
        let live = Arc::new(LiveConnection {
            host: host.to_string(),
            generation,
            connection,
        });
        tracing::info!("{} is connected to {host}", self.role);
        self.show(Ok(live.clone()), 1.0);
        let mut look = interval(LOOK);
        let mut why = "the connection was lost".to_owned();
        loop {
            tokio::select! {
                event = next(&mut events) => match event {
                    Some(Event::Error(error)) => why = error.to_string(),
                    Some(Event::ConnectionBlocked(reason)) => {
                        tracing::warn!("RabbitMQ at {host} blocks publishers: {reason}");
                    }
                    Some(Event::ConnectionUnblocked) => {
                        tracing::info!("RabbitMQ at {host} no longer blocks publishers");
                    }
                    Some(_) => {}
                    None => return why,
                },
                _ = look.tick() => {}
            }
            if !live.connection.status().connected() {
                return why;
            }
        }
    }
}
