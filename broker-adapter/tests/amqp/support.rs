//! A RabbitMQ for tests: started by `scripts/services`, one node for a test
//! binary and a vhost for a test. `ZKWHIRL_TEST_AMQP_URL` and
//! `ZKWHIRL_TEST_AMQP_MANAGEMENT_URL` name one that is there already.
//!
//! Nothing is left behind: a vhost goes with its test, a node with its process.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::{
        LazyLock, OnceLock,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use serde_json::Value;
use url::Url;
use zkwhirl_broker_adapter::amqp::{
    AmqpBroker, AmqpConfig, Endpoint, Limits,
    provision::{Role, User, provision, remove_vhost},
};

/// Short rungs for tests that wait for them; the long one nobody waits for.
pub(crate) const DELAYS: [Duration; 3] = [
    Duration::from_secs(1),
    Duration::from_secs(3),
    Duration::from_secs(600),
];

/// An instance of `scripts/services`.
#[derive(Debug)]
pub(crate) struct Services {
    name: String,
    /// The nodes, with the vhost that they are started with.
    pub(crate) hosts: Vec<String>,
    /// The same over TLS.
    pub(crate) tls_hosts: Vec<String>,
    /// Their management APIs.
    pub(crate) management: Vec<String>,
}

impl Services {
    /// Starts RabbitMQ; it ends with this process, however that ends. With a
    /// folder of certificates it speaks TLS.
    pub(crate) fn up(nodes: usize, certificates: Option<&Path>) -> Self {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let made = MADE.fetch_add(1, Ordering::Relaxed);
        let pid = std::process::id();
        let name = format!("test-{pid}-{made}");
        let (nodes, pid) = (nodes.to_string(), pid.to_string());
        let mut options = vec!["--rabbitmq", "--json", "--with-pid", &pid];
        options.extend(["--cluster", &nodes]);
        if let Some(folder) = certificates {
            options.extend(["--tls", folder.to_str().expect("UTF-8")]);
        }
        let said = run("up", &name, &options);
        let said: Value = serde_json::from_str(&said).expect("JSON");
        let list = |key: &str| {
            let urls = said[key].as_array().expect("a list of URLs");
            urls.iter()
                .map(|url| url.as_str().expect("a URL").to_owned())
                .collect()
        };
        Self {
            name,
            hosts: list("amqp"),
            tls_hosts: if certificates.is_some() {
                list("amqps")
            } else {
                Vec::new()
            },
            management: list("management"),
        }
    }

    /// rabbitmqctl on a node that runs.
    pub(crate) fn ctl(&self, arguments: &[&str]) {
        run("ctl", &self.name, arguments);
    }

    /// `kill`, `stop`, `start` or `restart` of a part.
    pub(crate) fn act(&self, what: &str, part: &str) {
        run(what, &self.name, &[part]);
    }
}

impl Drop for Services {
    fn drop(&mut self) {
        run("down", &self.name, &[]);
    }
}

fn run(command: &str, name: &str, arguments: &[&str]) -> String {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
    let output = Command::new(root.join("scripts/services"))
        .args([command, "--name", name])
        .args(arguments)
        .env(
            "ZKWHIRL_SERVICES_DIR",
            concat!(env!("CARGO_TARGET_TMPDIR"), "/services"),
        )
        .output()
        .expect("scripts/services can be run");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "services {command}: {said}{errors}"
    );
    said
}

/// The broker of this test binary.
fn shared() -> &'static (String, String) {
    static SHARED: OnceLock<(String, String)> = OnceLock::new();
    SHARED.get_or_init(|| {
        if let Ok(url) = std::env::var("ZKWHIRL_TEST_AMQP_URL") {
            let management = std::env::var("ZKWHIRL_TEST_AMQP_MANAGEMENT_URL");
            return (
                url,
                management.expect("ZKWHIRL_TEST_AMQP_MANAGEMENT_URL is set, too"),
            );
        }
        // Static: its end is the process's end.
        let services = Box::leak(Box::new(Services::up(1, None)));
        (services.hosts[0].clone(), services.management[0].clone())
    })
}

/// A vhost of its own, with the topology, for one test.
#[derive(Debug)]
pub(crate) struct Vhost {
    pub(crate) config: AmqpConfig,
    /// Its name.
    pub(crate) name: String,
    /// The first node's URL with its password, and the management API's.
    pub(crate) url: String,
    management: String,
    removes: bool,
}

impl Vhost {
    /// A vhost with the topology on the test binary's broker.
    pub(crate) async fn new() -> Self {
        let (host, management) = tokio::task::spawn_blocking(shared).await.expect("no panic");
        let empty = Self::empty_on(std::slice::from_ref(host), management);
        let said = provision(&empty.config, &[]).await;
        said.expect("the broker can be provisioned");
        empty
    }

    /// What leads to a vhost that is not there yet.
    pub(crate) fn empty_on(hosts: &[String], management: &str) -> Self {
        static MADE: AtomicU32 = AtomicU32::new(0);
        static RUN: LazyLock<u32> = LazyLock::new(std::process::id);
        let made = MADE.fetch_add(1, Ordering::Relaxed);
        let vhost = format!("zkwhirl-test-{}-{made}", *RUN);
        let urls: Vec<String> = hosts
            .iter()
            .map(|host| {
                let (base, _) = host.rsplit_once('/').expect("a vhost");
                format!("{base}/{vhost}")
            })
            .collect();
        let hosts: Result<Vec<Endpoint>, _> = urls.iter().map(|url| url.parse()).collect();
        let config = AmqpConfig {
            management: Some(management.parse().expect("a URL")),
            quiet: Duration::from_secs(4),
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

    /// For a broker that may be away when the test ends, and goes with it.
    pub(crate) fn goes_with_its_broker(mut self) -> Self {
        self.removes = false;
        self
    }

    /// A vhost that is not there yet on the test binary's broker.
    pub(crate) async fn empty() -> Self {
        let (host, management) = tokio::task::spawn_blocking(shared).await.expect("no panic");
        Self::empty_on(std::slice::from_ref(host), management)
    }

    /// A broker that is connected.
    pub(crate) async fn connect(&self) -> AmqpBroker {
        let broker = AmqpBroker::start(self.config.clone()).expect("a thread can be started");
        let ready = broker.ready(Duration::from_secs(30)).await;
        ready.expect("the broker is there");
        broker
    }

    /// A broker that is connected as another user.
    pub(crate) async fn connect_as(&self, user: &User) -> AmqpBroker {
        let login = |url: &str| {
            let mut url = Url::parse(url).expect("a URL");
            url.set_username(&user.name).expect("a name");
            let password = utf8_percent_encode(&user.password);
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
        let broker = AmqpBroker::start(config).expect("a thread can be started");
        let ready = broker.ready(Duration::from_secs(30)).await;
        ready.expect("the broker is there");
        broker
    }

    /// Removes a queue or an exchange.
    pub(crate) async fn delete(&self, what: &str, name: &str) {
        self.remove(&[what, &self.name, name]).await;
    }

    pub(crate) async fn delete_policy(&self, name: &str) {
        self.remove(&["policies", &self.name, name]).await;
    }

    pub(crate) async fn remove(&self, path: &[&str]) {
        self.api(reqwest::Method::DELETE, path, String::new()).await;
    }

    pub(crate) async fn put(&self, path: &[&str], body: &Value) {
        self.api(reqwest::Method::PUT, path, body.to_string()).await;
    }

    async fn api(&self, method: reqwest::Method, path: &[&str], body: String) {
        let url = format!("{}/api/{}", self.management, path.join("/"));
        let client = reqwest::Client::builder()
            .no_proxy()
            .build()
            .expect("a client");
        let request = client.request(method, url).body(body);
        let request = request.header("content-type", "application/json");
        let response = request.send().await.expect("the management API answers");
        assert!(
            response.status().is_success(),
            "{path:?}: {}",
            response.status()
        );
    }
}

/// Everything but letters and digits as `%XX`.
fn utf8_percent_encode(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            byte if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
            byte => format!("%{byte:02X}"),
        })
        .collect()
}

impl Drop for Vhost {
    fn drop(&mut self) {
        if !self.removes {
            return;
        }
        let config = self.config.clone();
        // The test's own runtime cannot be waited on here.
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
