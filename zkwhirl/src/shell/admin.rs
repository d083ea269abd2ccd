//! The admin address: metrics and probes, from a thread with a runtime of its
//! own. It answers also while every core proves.

use std::{
    fmt, io,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
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
    time::{Instant, MissedTickBehavior, interval},
};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;
use zkwhirl_bridge::api::MetricsPage;
use zkwhirl_telemetry::{
    Role,
    catalogue::{process::DRAINING, worker::START_TO_READY},
};

use super::{
    exit,
    metrics::{self, LOOK, OwnUse},
};

/// Where nobody says where.
const USUAL: (Ipv4Addr, u16) = (Ipv4Addr::LOCALHOST, 9464);
/// A process whose own work has not got on for so long should be restarted.
const STUCK: Duration = Duration::from_secs(60);
const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// What is answered before everything is there.
const STARTING: &str = r#"{"error":"still starting, keys may be made: try again soon"}"#;

/// The admin server of a process.
#[derive(Debug, Clone)]
pub(crate) struct Admin {
    address: SocketAddr,
    page: MetricsPage,
    health: Arc<Health>,
    mounted: Arc<OnceLock<Router>>,
}

/// `Err`: why the process cannot do its work.
type Ready = dyn Fn() -> Result<(), String> + Send + Sync;

struct Health {
    start: Instant,
    /// When the process's own work last got on, in milliseconds from the start.
    beat_ms: AtomicU64,
    draining: AtomicBool,
    ready: Mutex<Option<Arc<Ready>>>,
}

impl fmt::Debug for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Health").finish_non_exhaustive()
    }
}

impl Admin {
    /// Serves on `address`, or on the usual one, or beside it on a free port
    /// when another process has that. `topics` are those that the process
    /// knows. Call it before anything is measured, on the runtime whose work
    /// is watched.
    pub(crate) fn start(
        address: Option<SocketAddr>,
        roles: &[Role],
        topics: &[&'static str],
        draining: &CancellationToken,
    ) -> anyhow::Result<Self> {
        let listener = listen(address).map_err(exit::usage)?;
        let address = listener.local_addr()?;
        let recorder = metrics::install(roles, topics)?;
        let health = Arc::new(Health {
            start: Instant::now(),
            beat_ms: AtomicU64::new(0),
            draining: AtomicBool::new(false),
            ready: Mutex::default(),
        });
        tokio::spawn(beat(health.clone(), draining.clone()));
        let mounted = Arc::new(OnceLock::new());
        let server = Server {
            page: recorder.clone(),
            health: health.clone(),
            works: roles.contains(&Role::Worker),
            bridges: roles.contains(&Role::Bridge),
            mounted: mounted.clone(),
            own: Handle::current(),
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        thread::Builder::new()
            .name("admin".into())
            .spawn(move || runtime.block_on(server.run(listener)))?;
        let page = MetricsPage::new(move || recorder.render());
        Ok(Self {
            address,
            page,
            health,
            mounted,
        })
    }

    /// The process can do its work when `ready` says so. Before, it is
    /// starting.
    pub(crate) fn ready_when(
        &self,
        ready: impl Fn() -> Result<(), String> + Send + Sync + 'static,
    ) {
        *self.health.lock() = Some(Arc::new(ready));
    }

    /// Serves more, whatever is no metrics page or probe; once. It is answered
    /// on the runtime that started this server.
    pub(crate) fn mount(&self, router: Router) {
        let _ = self.mounted.set(router);
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The page of metrics.
    pub(crate) fn page(&self) -> MetricsPage {
        self.page.clone()
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
        None => match TcpListener::bind(USUAL) {
            Err(taken) if taken.kind() == io::ErrorKind::AddrInUse => {
                TcpListener::bind((USUAL.0, 0))?
            }
            other => other.context("cannot listen on the admin address")?,
        },
    };
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// Runs where the process's own work does.
async fn beat(health: Arc<Health>, draining: CancellationToken) {
    let mut ticks = interval(LOOK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let now = health.start.elapsed().as_millis() as u64;
        health.beat_ms.store(now, Ordering::Relaxed);
        if draining.is_cancelled() {
            health.draining.store(true, Ordering::Relaxed);
            DRAINING.set([], 1.0);
        }
    }
}

impl Health {
    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Arc<Ready>>> {
        self.ready.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lives(&self) -> Result<(), String> {
        let beat = Duration::from_millis(self.beat_ms.load(Ordering::Relaxed));
        let since = self.start.elapsed().saturating_sub(beat);
        if since < STUCK {
            return Ok(());
        }
        Err(format!("nothing has got on for {} s", since.as_secs()))
    }

    fn is_ready(&self) -> Result<(), String> {
        if self.draining.load(Ordering::Relaxed) {
            return Err("draining".to_owned());
        }
        let ready = self.lock().clone();
        ready.map_or_else(|| Err("starting".to_owned()), |ready| ready())
    }
}

/// What the thread runs.
#[derive(Clone)]
struct Server {
    page: PrometheusHandle,
    health: Arc<Health>,
    works: bool,
    /// Whether more is going to be mounted.
    bridges: bool,
    mounted: Arc<OnceLock<Router>>,
    /// Where the process's own work runs.
    own: Handle,
}

impl Server {
    async fn run(self, listener: TcpListener) {
        let router = Router::new()
            .route("/metrics", get(metrics_page))
            .route("/livez", get(livez))
            .route("/readyz", get(readyz))
            .fallback(more)
            .with_state(self.clone());
        let served = async {
            let listener = tokio::net::TcpListener::from_std(listener)?;
            axum::serve(listener, router).await
        };
        tokio::select! {
            ended = served => tracing::error!("the admin server ended: {ended:?}"),
            () = self.look() => {}
        }
    }

    /// Keeps the figures about the process up to date.
    async fn look(&self) {
        let mut ticks = interval(LOOK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut own = OwnUse::default();
        let mut was_ready = !self.works;
        loop {
            ticks.tick().await;
            own.look();
            // Else what is recorded between two scrapes piles up.
            self.page.run_upkeep();
            if !was_ready && self.health.is_ready().is_ok() {
                was_ready = true;
                START_TO_READY.set([], self.health.start.elapsed().as_secs_f64());
            }
        }
    }
}

async fn metrics_page(State(server): State<Server>) -> impl IntoResponse {
    ([(CONTENT_TYPE, TEXT)], server.page.render())
}

async fn more(State(server): State<Server>, request: Request) -> Response {
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

async fn livez(State(server): State<Server>) -> (StatusCode, String) {
    probe(server.health.lives())
}

async fn readyz(State(server): State<Server>) -> (StatusCode, String) {
    probe(server.health.is_ready())
}

fn probe(state: Result<(), String>) -> (StatusCode, String) {
    match state {
        Ok(()) => (StatusCode::OK, "ok\n".to_owned()),
        Err(why) => (StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n")),
    }
}
