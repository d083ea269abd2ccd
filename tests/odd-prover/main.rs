//! A program that implements rollup_cli's protocol and misbehaves on demand.
//!
//! `odd-prover HABIT [MARKER [rollup_cli's seven arguments]]`. With a marker, a
//! file's path, only the first process misbehaves, the one that creates the file.
//! Each process also writes `MARKER.log`, a line per start and per request. With
//! rollup_cli's arguments, replies have the published fields and the length of the
//! original's, or are taken from the folder `MARKER.replies`; without these
//! arguments, replies are filled with the request's number.

#![expect(
    clippy::print_stderr,
    reason = "the tests read the standard error of this program"
)]

use std::{
    env,
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    process, thread,
    time::Duration,
};

use bytes::Bytes;
use zkwhirl_circuits::Suite;
use zkwhirl_job::{Command, JobId, Request, Sizes, request::needed_bytes};
use zkwhirl_prover::Proverless;

fn main() -> io::Result<()> {
    let mut arguments = env::args().skip(1);
    let odd = Odd {
        habit: arguments.next().unwrap_or_default(),
        marker: arguments.next(),
    };
    let replies = Replies::new(odd.marker.clone(), arguments.collect());
    let (mut input, mut output) = (io::stdin().lock(), io::stdout().lock());
    eprintln!("odd-prover: started");
    odd.log(&format!("start {}", replies.lazy()))?;
    if odd.is("die-at-start") {
        eprintln!("odd-prover: no reference string");
        process::exit(3);
    }
    if odd.is("ignore-sigterm") {
        // Start a shell in the same process group that ignores SIGTERM.
        process::Command::new("sh")
            .args(["-c", "trap '' TERM; sleep 1000"])
            .stdin(process::Stdio::null())
            .spawn()?;
    }
    let mut requests = 0;
    loop {
        let mut code = [0; 4];
        if input.read_exact(&mut code).is_err() {
            return Ok(());
        }
        match u32::from_be_bytes(code) {
            666 => odd.ping(&mut output)?,
            key @ (100 | 101) => {
                odd.log(&format!("key {key}"))?;
                // A fake verification key: as long as a real one, filled with `code`.
                write_sized(&mut output, &[key as u8; 1168])?;
            }
            kind => {
                let request = read_request(&mut input, code)?;
                odd.log(&format!("request {kind}"))?;
                if odd.habit == "record" {
                    odd.append("stdin", &request)?;
                }
                requests += 1;
                let reply = replies.of(&request, requests);
                odd.answer(&mut output, reply)?;
            }
        }
        output.flush()?;
    }
}

struct Odd {
    habit: String,
    marker: Option<String>,
}

impl Odd {
    /// True if this process must misbehave now.
    fn is(&self, habit: &str) -> bool {
        self.habit == habit && self.is_first()
    }

    /// True for the first process that calls this, or always without a marker.
    fn is_first(&self) -> bool {
        let marker = self.marker.as_ref();
        marker.is_none_or(|marker| File::create_new(marker).is_ok())
    }

    fn log(&self, line: &str) -> io::Result<()> {
        self.append("log", format!("{} {line}\n", process::id()).as_bytes())
    }

    fn append(&self, what: &str, bytes: &[u8]) -> io::Result<()> {
        let Some(marker) = &self.marker else {
            return Ok(());
        };
        let path = format!("{marker}.{what}");
        let mut file = OpenOptions::new().append(true).create(true).open(path)?;
        file.write_all(bytes)
    }

    fn ping(&self, output: &mut impl Write) -> io::Result<()> {
        match self.habit.as_str() {
            "no-ping" => hang(),
            "wrong-ping" => output.write_all(&[7]),
            _ => output.write_all(&[1]),
        }
    }

    fn answer(&self, output: &mut impl Write, mut reply: Vec<u8>) -> io::Result<()> {
        let mut verified = 1;
        let mut times = 1;
        let habit = match self.habit.as_str() {
            "die-at-start" | "ignore-sigterm" | "well" | "record" => "well",
            habit if self.is_first() => habit,
            _ => "well",
        };
        match habit {
            "die-in-proof" => process::abort(),
            "exit-9-in-proof" => process::exit(9),
            "hang" => hang(),
            "hang-deaf" => hang_deaf(),
            "slow" => thread::park_timeout(Duration::from_millis(500)),
            "flood" => {
                for line in 0..100_000 {
                    eprintln!("odd-prover: line {line} of very much that nobody asked for");
                }
            }
            "garbage" => last_words(output, &b"Creating proof... ".repeat(4096))?,
            "short" => drop(reply.pop()),
            "long" => reply.push(0),
            "wrong-field" => reply[31] ^= 1,
            "bomb" => last_words(output, &u32::MAX.to_be_bytes())?,
            "half" => {
                output.write_all(&(reply.len() as u32).to_be_bytes())?;
                output.write_all(&reply[..100])?;
                output.flush()?;
                process::exit(0);
            }
            "hog" => hog(),
            "refuse" => reply.clear(),
            "unverified" => verified = 0,
            "refuse-with-reason" => {
                eprintln!("@zkwhirl failure infrastructure the disk is full");
                (reply, verified) = (Vec::new(), 0);
            }
            "verified-2" => verified = 2,
            "twice" => times = 2,
            _ => {}
        }
        for _ in 0..times {
            write_sized(output, &reply)?;
            output.write_all(&[verified])?;
        }
        Ok(())
    }
}

fn read_request(input: &mut impl Read, code: [u8; 4]) -> io::Result<Vec<u8>> {
    let mut request = code.to_vec();
    loop {
        let needed = needed_bytes(&request).map_err(io::Error::other)?;
        if needed == request.len() {
            return Ok(request);
        }
        let have = request.len();
        request.resize(needed, 0);
        input.read_exact(&mut request[have..])?;
    }
}

fn write_sized(output: &mut impl Write, bytes: &[u8]) -> io::Result<()> {
    output.write_all(&(bytes.len() as u32).to_be_bytes())?;
    output.write_all(bytes)
}

/// Allocates memory until it fails, as a prover with too large a circuit does.
fn hog() -> ! {
    let mut taken = Vec::new();
    loop {
        taken.push(vec![1u8; 16 << 20]);
        std::hint::black_box(&taken);
    }
}

/// Writes these bytes and hangs.
fn last_words(output: &mut impl Write, bytes: &[u8]) -> io::Result<()> {
    output.write_all(bytes)?;
    output.flush()?;
    hang()
}

fn hang() -> ! {
    loop {
        thread::park_timeout(Duration::from_secs(1000));
    }
}

/// Hangs in a shell that ignores SIGTERM.
fn hang_deaf() -> ! {
    use std::os::unix::process::CommandExt;
    let failed = process::Command::new("sh")
        .args(["-c", "trap '' TERM; while :; do sleep 1000; done"])
        .exec();
    eprintln!("odd-prover: {failed}");
    process::exit(1);
}

const CLAIM_REPLY_BYTES: usize = 2016;

struct Replies {
    recorded: Option<String>,
    /// `rollup_cli`'s arguments.
    arguments: Vec<String>,
}

impl Replies {
    fn new(marker: Option<String>, arguments: Vec<String>) -> Self {
        Self {
            recorded: marker.map(|marker| format!("{marker}.replies")),
            arguments,
        }
    }

    fn lazy(&self) -> &'static str {
        match self.arguments.get(4).map(String::as_str) {
            Some("true") => "lazy",
            _ => "eager",
        }
    }

    /// The reply to the `number`th request.
    fn of(&self, request: &[u8], number: u8) -> Vec<u8> {
        let request = Bytes::copy_from_slice(request);
        if let Some(recorded) = self.recorded(&request) {
            return recorded;
        }
        let Some(sizes) = self.sizes() else {
            return vec![number; CLAIM_REPLY_BYTES];
        };
        let mock = Proverless::new(Suite::Pedersen, sizes, Duration::ZERO);
        let request = Request::parse(&request).expect("the supervisor sends requests only");
        let reply = mock.reply(&request).expect("its fields can be computed");
        reply.to_vec()
    }

    fn recorded(&self, request: &Bytes) -> Option<Vec<u8>> {
        let folder = self.recorded.as_ref()?;
        let name = JobId::of(Command::CreateProof, request);
        fs::read(format!("{folder}/{name}")).ok()
    }

    fn sizes(&self) -> Option<Sizes> {
        let number = |at: usize| self.arguments.get(at)?.parse().ok();
        Sizes::new(number(1)?, number(2)?).ok()
    }
}
