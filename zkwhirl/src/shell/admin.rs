//! The admin server: metrics and probes, from a thread with its own runtime, so
//! that probes are answered even while every core is proving.

use std::{
    fmt, io,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use anyhow::Context;
use axum::{
    Router,
    extract::{Request, State},
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
    routing::get,
};
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::{
    runtime::Handle,
    time::{Instant, Interval, MissedTickBehavior, interval},
};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;
use zkwhirl_telemetry::{
    Role,
    catalogue::{process::DRAINING, worker::START_TO_READY},
};

use super::{
    exit,
    metrics::{self, LOOK, OwnUse},
};

const DEFAULT_ADDRESS: (Ipv4Addr, u16) = (Ipv4Addr::LOCALHOST, 9464);
/// `/livez` fails when the process's main runtime has run no task for this time.
const STUCK: Duration = Duration::from_secs(60);
const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The response to console requests before the console is mounted.
const STARTING: &str = r#"{"error":"still starting, possibly generating keys: try again soon"}"#;

pub(crate) struct Admin {
    pub(crate) address: SocketAddr,
    server: Arc<Server>,
}

/// Why the process cannot do its work now: the body of `/readyz` and `/livez`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotReady {
    /// Keys are being generated, connections are being opened.
    #[error("starting")]
    Starting,
    #[error("draining")]
    Draining,
    /// A service that the process needs is unreachable.
    #[error("{0}")]
    Away(&'static str),
    /// The process's main runtime has run no task for this number of seconds.
    #[error("no progress for {0} s: the process's main runtime has run no task")]
    Stuck(u64),
}

type Ready = dyn Fn() -> Result<(), NotReady> + Send + Sync;

/// State that the process's main runtime and the admin thread share.
struct Server {
    page: PrometheusHandle,
    works: bool,
    /// True if a console will be mounted.
    bridges: bool,
    /// The router for every path except metrics and probes.
    mounted: OnceLock<Router>,
    /// The process's main runtime.
    own: Handle,
    start: Instant,
    /// When the process's main runtime last ran a task, in milliseconds since `start`.
    beat_ms: AtomicU64,
    draining: CancellationToken,
    ready: OnceLock<Box<Ready>>,
}

impl Admin {
    /// Starts the admin server on `address`, by default 127.0.0.1:9464 or, if
    /// that port is in use, a free port. `topics` are the topics of the process.
    /// Call this before any metric is recorded, on the runtime whose progress
    /// `/livez` reports.
    pub(crate) fn start(
        address: Option<SocketAddr>,
        roles: &[Role],
        topics: &[&'static str],
        draining: &CancellationToken,
    ) -> anyhow::Result<Self> {
        let listener = listen(address).map_err(exit::usage)?;
        let address = listener.local_addr()?;
        let server = Arc::new(Server {
            page: metrics::install(roles, topics)?,
            works: roles.contains(&Role::Worker),
            bridges: roles.contains(&Role::Bridge),
            mounted: OnceLock::new(),
            own: Handle::current(),
            start: Instant::now(),
            beat_ms: AtomicU64::new(0),
            draining: draining.clone(),
            ready: OnceLock::new(),
        });
        tokio::spawn(server.clone().beat());
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let running = server.clone().run(listener);
        thread::Builder::new()
            .name("admin".into())
            .spawn(move || runtime.block_on(running))?;
        Ok(Self { address, server })
    }

    /// Sets the readiness check, once. Before that, `/readyz` answers "starting".
    pub(crate) fn ready_when(
        &self,
        ready: impl Fn() -> Result<(), NotReady> + Send + Sync + 'static,
    ) {
        let _ = self.server.ready.set(Box::new(ready));
    }

    /// Mounts a router for every path except metrics and probes, once. The
    /// router's handlers run on the runtime that started this server.
    pub(crate) fn mount(&self, router: Router) {
        let _ = self.server.mounted.set(router);
    }

    pub(crate) fn page(&self) -> impl Fn() -> String + Send + Sync + use<> {
        let page = self.server.page.clone();
        move || page.render()
    }
}

impl fmt::Display for Admin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "metrics and probes at http://{}/metrics", self.address)
    }
}

fn listen(address: Option<SocketAddr>) -> anyhow::Result<TcpListener> {
    let listener = match address {
        Some(address) => TcpListener::bind(address).with_context(|| {
            format!("cannot listen on {address} (set ZKWHIRL_ADMIN to another address)")
        })?,
        None => match TcpListener::bind(DEFAULT_ADDRESS) {
            Err(taken) if taken.kind() == io::ErrorKind::AddrInUse => {
                TcpListener::bind((DEFAULT_ADDRESS.0, 0))?
            }
            other => other.context("cannot listen on the admin address")?,
        },
    };
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// An interval of [`LOOK`]; a late tick delays the following ticks.
fn ticks() -> Interval {
    let mut ticks = interval(LOOK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

impl Server {
    /// Stores in every tick that the process's main runtime has run this task,
    /// and sets the metric of a drain.
    async fn beat(self: Arc<Self>) {
        let mut ticks = ticks();
        loop {
            ticks.tick().await;
            let now = self.start.elapsed().as_millis() as u64;
            self.beat_ms.store(now, Ordering::Relaxed);
            if self.draining.is_cancelled() {
                DRAINING.set([], 1.0);
            }
        }
    }

    async fn run(self: Arc<Self>, listener: TcpListener) {
        let probe = |check: fn(&Self) -> Result<(), NotReady>| {
            get(
                async move |State(server): State<Arc<Self>>| match check(&server) {
                    Ok(()) => (StatusCode::OK, "ok\n".to_owned()),
                    Err(why) => (StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n")),
                },
            )
        };
        let metrics =
            async |State(server): State<Arc<Self>>| ([(CONTENT_TYPE, TEXT)], server.page.render());
        let router = Router::new()
            .route("/metrics", get(metrics))
            .route("/livez", probe(Self::lives))
            .route("/readyz", probe(Self::is_ready))
            .fallback(more)
            .with_state(self.clone());
        let served = async {
            let listener = tokio::net::TcpListener::from_std(listener)?;
            axum::serve(listener, router).await
        };
        tokio::select! {
            ended = served => tracing::error!("the admin server stopped: {ended:?}; metrics, probes and console are unavailable until a restart"),
            () = self.look() => {}
        }
    }

    /// Updates the process's metrics in every tick.
    async fn look(&self) {
        let mut ticks = ticks();
        let mut own = OwnUse::default();
        let mut was_ready = !self.works;
        loop {
            ticks.tick().await;
            own.look();
            // Without upkeep the samples between two scrapes accumulate in
            // memory.
            self.page.run_upkeep();
            if !was_ready && self.is_ready().is_ok() {
                was_ready = true;
                START_TO_READY.set([], self.start.elapsed().as_secs_f64());
            }
        }
    }

    fn lives(&self) -> Result<(), NotReady> {
        let beat = Duration::from_millis(self.beat_ms.load(Ordering::Relaxed));
        let since = self.start.elapsed().saturating_sub(beat);
        if since < STUCK {
            return Ok(());
        }
        Err(NotReady::Stuck(since.as_secs()))
    }

    fn is_ready(&self) -> Result<(), NotReady> {
        if self.draining.is_cancelled() {
            return Err(NotReady::Draining);
        }
        self.ready.get().ok_or(NotReady::Starting)?()
    }
}

/// Answers every path except metrics and probes.
async fn more(State(server): State<Arc<Server>>, request: Request) -> Response {
    let Some(router) = server.mounted.get().cloned() else {
        return match server.bridges {
            true => (StatusCode::SERVICE_UNAVAILABLE, STARTING).into_response(),
            false => StatusCode::NOT_FOUND.into_response(),
        };
    };
    let answer = server.own.spawn(router.oneshot(request)).await;
    answer.map_or_else(
        |_| StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        |Ok(answer)| answer,
    )
}
