//! A vhost of its own for each test, on the RabbitMQ of this test executable.
//! `ZKWHIRL_TEST_AMQP_URL` and `ZKWHIRL_TEST_AMQP_MANAGEMENT_URL` name a RabbitMQ that
//! runs already.
//!
//! Tests leave nothing behind: a vhost ends with its test, a node with its process.

use std::{
    process,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use reqwest::Method;
use serde_json::Value;
use tokio::sync::OnceCell;
use url::{Url, form_urlencoded::byte_serialize};
use zkwhirl_broker_adapter::{
    Broker, BrokerError, DeadLetter, Delivery, JobConsumer, Settlement,
    amqp::{
        AmqpBroker, AmqpConfig, Endpoint, Limits,
        provision::{Role, User, provision, remove_vhost},
    },
};
use zkwhirl_job::{Topic, envelope::JobEnvelope};
use zkwhirl_testkit::{PATIENCE, Services, until_some, within};

/// Short rungs for tests that wait for them; no test waits for the long one.
pub(crate) const DELAYS: [Duration; 3] = [
    Duration::from_secs(1),
    Duration::from_secs(3),
    Duration::from_secs(600),
];

/// A node's URL and its management API's: the broker of this test executable.
async fn shared() -> &'static (String, String) {
    static SHARED: OnceCell<(String, String)> = OnceCell::const_new();
    SHARED
        .get_or_init(async || {
            let given = |name| std::env::var(format!("ZKWHIRL_TEST_AMQP_{name}")).ok();
            if let Some(url) = given("URL") {
                let management = given("MANAGEMENT_URL");
                return (url, management.expect("both URLs are set"));
            }
            // Leaked: the node ends with the process.
            let services = Box::leak(Box::new(Services::with(["--rabbitmq"]).await));
            (services.amqp[0].clone(), services.management[0].clone())
        })
        .await
}

/// A vhost of its own, with the topology, for one test.
#[derive(Debug)]
pub(crate) struct Vhost {
    pub(crate) config: AmqpConfig,
    /// The vhost's name.
    pub(crate) name: String,
    /// The first node's URL with its password, and the management API's.
    pub(crate) url: String,
    management: String,
    removes: bool,
}

impl Vhost {
    /// A vhost with the topology on the test binary's broker.
    pub(crate) async fn new() -> Self {
        let empty = Self::empty().await;
        empty.provision().await;
        empty
    }

    /// A vhost with the topology, and a broker that is connected to it.
    pub(crate) async fn with_broker() -> (Self, AmqpBroker) {
        let vhost = Self::new().await;
        let broker = vhost.connect().await;
        (vhost, broker)
    }

    /// Makes the vhost and its topology. A node that has just started may take
    /// longer than a call may; a second provisioning changes nothing.
    pub(crate) async fn provision(&self) {
        until_some("the broker can be provisioned", async || {
            match provision(&self.config, &[]).await {
                Err(BrokerError::Away(_)) => None,
                said => Some(said.expect("the topology is right")),
            }
        })
        .await;
    }

    /// The settings for a vhost that does not exist yet.
    pub(crate) fn empty_on(hosts: &[String], management: &str) -> Self {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let made = MADE.fetch_add(1, Ordering::Relaxed);
        let vhost = format!("zkwhirl-test-{}-{made}", process::id());
        let urls = hosts.iter().map(|host| {
            let (base, _) = host.rsplit_once('/').expect("a vhost");
            format!("{base}/{vhost}")
        });
        let urls: Vec<String> = urls.collect();
        let hosts: Result<Vec<Endpoint>, _> = urls.iter().map(|url| url.parse()).collect();
        let config = AmqpConfig {
            management: Some(management.parse().expect("a URL")),
            quiet: Duration::from_secs(4),
            call_timeout: Duration::from_secs(60),
            limits: Limits {
                delays: DELAYS,
                ..Limits::default()
            },
            ..AmqpConfig::new(hosts.expect("URLs"))
        };
        Self {
            config,
            name: vhost,
            url: urls[0].clone(),
            management: management.to_owned(),
            removes: true,
        }
    }

    /// Keeps the vhost at the end of the test, for a broker that ends with the test.
    pub(crate) fn goes_with_its_broker(mut self) -> Self {
        self.removes = false;
        self
    }

    /// A vhost that does not exist yet on the test binary's broker.
    pub(crate) async fn empty() -> Self {
        let (host, management) = shared().await;
        Self::empty_on(std::slice::from_ref(host), management)
    }

    /// A broker that is connected.
    pub(crate) async fn connect(&self) -> AmqpBroker {
        connected(self.config.clone()).await
    }

    /// A broker that is connected as another user.
    pub(crate) async fn connect_as(&self, user: &User) -> AmqpBroker {
        let login = |url: &str| {
            let mut url = Url::parse(url).expect("a URL");
            url.set_username(&user.name).expect("a name");
            let password: String = byte_serialize(user.password.as_bytes()).collect();
            url.set_password(Some(&password)).expect("a password");
            url.to_string()
        };
        let hosts = vec![login(&self.url).parse().expect("a URL")];
        let management = match user.role {
            Role::Worker => None,
            _ => Some(login(&self.management).parse().expect("a URL")),
        };
        let config = AmqpConfig {
            hosts,
            management,
            ..self.config.clone()
        };
        connected(config).await
    }

    /// Removes a queue, an exchange or a policy.
    pub(crate) async fn delete(&self, what: &str, name: &str) {
        self.remove(&[what, &self.name, name]).await;
    }

    pub(crate) async fn remove(&self, path: &[&str]) {
        self.api(Method::DELETE, path, String::new()).await;
    }

    pub(crate) async fn put(&self, path: &[&str], body: &Value) {
        self.api(Method::PUT, path, body.to_string()).await;
    }

    async fn api(&self, method: Method, path: &[&str], body: String) {
        let url = format!("{}/api/{}", self.management, path.join("/"));
        let client = reqwest::Client::builder().no_proxy().build();
        let request = client.expect("a client").request(method, url).body(body);
        let request = request.header("content-type", "application/json");
        let response = request.send().await.expect("the management API answers");
        let status = response.status();
        assert!(status.is_success(), "{path:?}: {status}");
    }
}

async fn connected(config: AmqpConfig) -> AmqpBroker {
    let broker = AmqpBroker::start(config).expect("a thread can be started");
    let ready = broker.ready(PATIENCE).await;
    ready.expect("the broker answers");
    broker
}

/// Waits until a broker with this configuration reports a reason with these words why it
/// is not ready, and returns the reason.
pub(crate) async fn not_ready(config: AmqpConfig, words: &[&str]) -> String {
    let broker = AmqpBroker::start(config).expect("a thread can be started");
    said_at_last(&broker, words).await
}

/// Waits until a started broker reports a reason with these words.
pub(crate) async fn said_at_last(broker: &AmqpBroker, words: &[&str]) -> String {
    until_some(&format!("{words:?}"), async || {
        let ready = broker.ready(Duration::from_secs(1)).await;
        let reason = ready.expect_err("it cannot be ready").to_string();
        let said = words.iter().all(|word| reason.contains(word));
        said.then_some(reason)
    })
    .await
}

/// Subscribes to the inner jobs as the worker `a`.
pub(crate) async fn join(broker: &AmqpBroker) -> Box<dyn JobConsumer> {
    let joined = broker.subscribe(&[Topic::Inner], "a").await;
    joined.expect("a worker can join")
}

/// The next job of a consumer.
pub(crate) async fn claim(worker: &mut Box<dyn JobConsumer>) -> Delivery {
    let claimed = within("a job", worker.claim()).await;
    claimed.expect("the broker answers")
}

/// Claims a job and acks it.
pub(crate) async fn claimed(worker: &mut Box<dyn JobConsumer>) -> JobEnvelope {
    let mut delivery = claim(worker).await;
    let acked = delivery.settle(&Settlement::Ack).await;
    assert!(acked.expect("the broker answers"));
    delivery.job.clone()
}

pub(crate) async fn letters(broker: &AmqpBroker) -> Vec<DeadLetter> {
    broker.dead_letters(100).await.expect("the broker answers")
}

impl Drop for Vhost {
    fn drop(&mut self) {
        if !self.removes {
            return;
        }
        let config = self.config.clone();
        // A drop cannot wait on the test's own runtime.
        let removing = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            let removed = runtime.expect("a runtime").block_on(remove_vhost(&config));
            removed.expect("the vhost can be removed");
        });
        // A panic in a panic would hide the first one.
        let _ = removing.join();
    }
}
