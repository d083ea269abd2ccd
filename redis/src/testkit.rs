//! Private Redis servers for tests, which can be killed, paused and restarted.
//!
//! Calls block the thread, also in asynchronous tests.

use std::{
    env, fs,
    io::{BufRead, BufReader, Write},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Once, OnceLock},
    thread,
    time::Duration,
};

use rand::Rng;
use redis::{Client, Cmd, FromRedisValue, RedisResult};
use url::Url;

use crate::RedisAddress;

/// The environment variable with the URL of a Redis that tests share, each test in a
/// namespace of its own. Without it tests start a private server.
const URL: &str = "ZKWHIRL_TEST_REDIS_URL";

/// Runs Redis until the script's standard input has a line or ends. The input ends with the
/// test's process, so no server outlives a killed test; then the script removes the folder.
const GUARD: &str = r#"
trap '' INT TERM HUP
dir=$1; shift
redis-server "$@" >"$dir/log" 2>&1 </dev/null &
pid=$!
echo "$pid"
if read -r _; then stay=1; fi
kill -9 "$pid" 2>/dev/null
wait "$pid" 2>/dev/null
[ -n "$stay" ] || rm -rf "$dir"
"#;

/// Removes the tests' keys from the Redis of `ZKWHIRL_TEST_REDIS_URL`.
const SWEEP: &str = r#"
trap '' INT TERM HUP
read -r _
redis-cli -u "$URL" --scan --pattern "$PATTERN" 2>/dev/null | while read -r key; do
  redis-cli -u "$URL" unlink "$key" >/dev/null 2>&1
done
"#;

/// A private Redis. When this value is dropped or the process ends, the server is
/// killed and its folder removed.
#[derive(Debug)]
pub struct RedisServer {
    guard: Child,
    pid: u32,
    port: u16,
    password: String,
    folder: PathBuf,
    options: Vec<String>,
}

impl RedisServer {
    /// Starts a Redis in memory only.
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// Starts a Redis with further options of `redis-server`.
    pub fn start_with(options: &[&str]) -> Self {
        need_binary();
        let random: u64 = rand::thread_rng().r#gen();
        let folder = env::temp_dir().join(format!("zkwhirl-redis-{random:016x}"));
        fs::create_dir_all(&folder).expect("a folder for redis");
        let port = free_port();
        // Another server on this port would not know the password.
        let password = format!("{random:016x}");
        let options: Vec<_> = options.iter().map(|option| (*option).to_owned()).collect();
        let (guard, pid) = spawn(&folder, port, &password, &options);
        let server = Self {
            guard,
            pid,
            port,
            password,
            folder,
            options,
        };
        server.until_up();
        server
    }

    /// The server's URL.
    pub fn url(&self) -> Url {
        let text = format!("redis://:{}@127.0.0.1:{}", self.password, self.port);
        text.parse().expect("a url of digits and letters")
    }

    /// The address of a new namespace on this server.
    pub fn address(&self) -> RedisAddress {
        new_namespace(self.url())
    }

    /// Kills the server with `kill -9`.
    pub fn kill(&mut self) {
        if let Some(stdin) = &mut self.guard.stdin {
            // An error means that the guard has ended already.
            let _ = stdin.write_all(b"\n");
        }
        let _ = self.guard.wait();
    }

    /// Starts the server again after [`RedisServer::kill`], on the same port and data.
    pub fn start_again(&mut self) {
        (self.guard, self.pid) = spawn(&self.folder, self.port, &self.password, &self.options);
        self.until_up();
    }

    /// Sends `SIGSTOP`: the server hangs, and its connections stay open.
    pub fn pause(&self) {
        self.signal("STOP");
    }

    /// Sends `SIGCONT`: the server continues.
    pub fn resume(&self) {
        self.signal("CONT");
    }

    /// Runs one command on a new connection.
    pub fn command<T: FromRedisValue>(&self, args: &[impl AsRef<[u8]>]) -> T {
        command(&self.url(), args)
    }

    fn signal(&self, name: &str) {
        let kill = Command::new("kill")
            .args([&format!("-{name}"), &self.pid.to_string()])
            .status();
        assert!(kill.is_ok_and(|status| status.success()), "kill -{name}");
    }

    fn until_up(&self) {
        for _ in 0..30_000 {
            let pong: RedisResult<String> = ask(&self.url(), &["PING"]);
            if pong.is_ok() {
                return;
            }
            thread::park_timeout(Duration::from_millis(10));
        }
        panic!("redis is not up, see {}/log", self.folder.display());
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        drop(self.guard.stdin.take());
        let _ = self.guard.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Makes a new namespace on the Redis of `ZKWHIRL_TEST_REDIS_URL`, or on a private
/// Redis that the process's tests share.
pub fn scratch() -> RedisAddress {
    static SHARED: OnceLock<RedisServer> = OnceLock::new();
    static GIVEN: OnceLock<Child> = OnceLock::new();
    let Some(given) = env::var(URL).ok().filter(|url| !url.is_empty()) else {
        return SHARED.get_or_init(RedisServer::start).address();
    };
    let url: Url = given.parse().unwrap_or_else(|_| panic!("{URL} is no url"));
    GIVEN.get_or_init(|| {
        let sweep = Command::new("sh")
            .args(["-c", SWEEP])
            .env("URL", &given)
            .env("PATTERN", format!("zkwhirl:{{{}*", ours()))
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn();
        sweep.expect("sh is there")
    });
    new_namespace(url)
}

/// Runs one command at `url`, on a new connection.
pub fn command<T: FromRedisValue>(url: &Url, args: &[impl AsRef<[u8]>]) -> T {
    ask(url, args).expect("redis is there and takes the command")
}

/// Finds a port that no process listens on. The kernel takes the ports of outgoing
/// connections from a lower range, so that a server that was killed finds its port
/// free again.
pub fn free_port() -> u16 {
    let free = |port| TcpListener::bind(("127.0.0.1", port)).is_ok();
    let mut ports = std::iter::repeat_with(|| rand::thread_rng().gen_range(61_000..65_500));
    ports.find(|port| free(*port)).expect("a free port")
}

fn ask<T: FromRedisValue>(url: &Url, args: &[impl AsRef<[u8]>]) -> RedisResult<T> {
    let mut command = Cmd::new();
    for arg in args {
        command.arg(arg.as_ref());
    }
    command.query(&mut Client::open(url.clone())?.get_connection()?)
}

fn ours() -> String {
    format!("test-{}-", std::process::id())
}

fn new_namespace(url: Url) -> RedisAddress {
    let random: u64 = rand::thread_rng().r#gen();
    RedisAddress::new(url, format!("{}{random:016x}", ours()))
}

fn spawn(folder: &Path, port: u16, password: &str, options: &[String]) -> (Child, u32) {
    let mut guard = Command::new("sh")
        .args(["-c", GUARD, "guard"])
        .arg(folder)
        .args(["--port", &port.to_string(), "--bind", "127.0.0.1"])
        .args(["--requirepass", password])
        .args(["--save", "", "--appendonly", "no", "--dir"])
        .arg(folder)
        .args(options)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("sh is there");
    let mut line = String::new();
    let stdout = guard.stdout.take().expect("it is piped");
    let read = BufReader::new(stdout).read_line(&mut line);
    read.expect("the guard says redis's process");
    let pid = line.trim().parse().expect("a process id");
    (guard, pid)
}

/// Installs Redis if it is missing, with the repository's services script. Once per
/// process, because two installations at the same time fail.
fn need_binary() {
    static INSTALL: Once = Once::new();
    INSTALL.call_once(|| {
        if is_installed() {
            return;
        }
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/services");
        let name = format!("install-{}", std::process::id());
        for args in [&["up", "--redis", "--name"][..], &["down", "--name"]] {
            let mut run = Command::new(&script);
            // The assertion below reports a failure.
            let _ = run.args(args).arg(&name).stdout(Stdio::null()).status();
        }
    });
    let need = "these tests need redis-server (Debian: apt-get install redis-server), \
                which `scripts/services up --redis` could not install";
    assert!(is_installed(), "{need}");
}

fn is_installed() -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|folder| folder.join("redis-server").is_file())
}
