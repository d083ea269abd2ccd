//! Every recorded request, from Falafel's frame through parser, envelope and
//! broker to the prover's standard input, and its reply back to
//! `/job-complete`: all compared byte for byte.
//!
//! Some recorded requests have only the right layout: their values are invented,
//! so no fields follow from them. The bridge's gate would refuse every reply to
//! them; in these tests the gate checks only the length of such a reply.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use zkwhirl::cluster::{Checker, Cluster, ClusterConfig, Provers};
use zkwhirl_bridge::{BridgeConfig, ReplyVerifier, falafel::Upstream};
use zkwhirl_broker_adapter::EmbeddedBrokerConfig;
use zkwhirl_circuits::Suite;
use zkwhirl_job::{
    Command, Failure, Frame, JobId, Kind, Request, Sizes, TicketId, Topic,
    reply::{NotVerified, ReplyShape},
    request::needed_bytes,
};
use zkwhirl_ledger::Events;
use zkwhirl_prover::Proverless;
use zkwhirl_testkit::{eventually, stub::Stub, vector, vectors};
use zkwhirl_worker::WorkerConfig;

use crate::stage::{LEASE, Odd};

/// The sizes that the recorded requests are made for.
const SIZES: [(u32, u32); 5] = [(28, 32), (1, 1), (2, 2), (28, 2), (1, 2)];

struct Recorded {
    name: String,
    request: Bytes,
    /// The original's reply, if it was recorded.
    reply: Option<Bytes>,
}

/// All recorded requests by the sizes that they are made for.
fn recorded() -> BTreeMap<(u32, u32), Vec<Recorded>> {
    let mut all = BTreeMap::<_, Vec<_>>::new();
    let mut others = 0;
    for folder in ["", "claims", "pedersen"] {
        let files = fs::read_dir(vectors().join(folder)).unwrap();
        let mut files: Vec<_> = files.map(|file| file.unwrap().path()).collect();
        files.retain(|path| path.extension().is_some_and(|end| end == "bin"));
        files.sort();
        for path in files {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            let request = Bytes::from(fs::read(&path).unwrap());
            let Ok(parsed) = Request::parse(&request) else {
                let known = name.starts_with("frame_") || name.contains("_reply");
                assert!(known, "{name} is not a request, a reply or a frame");
                others += 1;
                continue;
            };
            assert_eq!(parsed.to_bytes(), request, "{name}");
            let sizes = made_for(&name, &parsed);
            all.entry(sizes).or_default().push(Recorded {
                reply: reply_to(&path),
                name,
                request,
            });
        }
    }
    assert_eq!(all.values().map(Vec::len).sum::<usize>(), 62);
    assert_eq!(others, 26);
    all
}

fn reply_to(request: &Path) -> Option<Bytes> {
    let name = request.file_name().unwrap().to_str().unwrap();
    let name = name.strip_suffix("_request.bin")?;
    let replies = ["_reply.bin", "_reply_real.bin"];
    let replies = replies.map(|end| request.with_file_name(format!("{name}{end}")));
    let there = replies.into_iter().find(|path| path.exists());
    there.map(|path| fs::read(path).unwrap().into())
}

/// The sizes in a file's name, or the first that the request fits.
fn made_for(name: &str, request: &Request) -> (u32, u32) {
    let says = |(txs, inners)| name.starts_with(&format!("valid_{txs}x{inners}_"));
    let fits = |(txs, inners)| request.validate(Sizes::new(txs, inners).unwrap()).is_ok();
    let said = SIZES.into_iter().find(|sizes| says(*sizes));
    let sizes = said.or_else(|| SIZES.into_iter().find(|sizes| fits(*sizes)));
    sizes.unwrap_or_else(|| panic!("{name} fits no sizes"))
}

/// Recorded requests of one size, the prover that answers them, and Falafel's
/// frames with these requests.
pub(crate) struct RecordedCase {
    pub(crate) odd: Odd,
    pub(crate) sizes: Sizes,
    requests: Vec<Bytes>,
    frames: Vec<Bytes>,
    /// Every body of `/job-complete` that Falafel must receive, sorted.
    completed: Vec<Bytes>,
}

impl RecordedCase {
    fn new((txs, inners): (u32, u32), recorded: Vec<Recorded>) -> Self {
        let mut case = Self {
            odd: Odd::new("record"),
            sizes: Sizes::new(txs, inners).unwrap(),
            requests: Vec::new(),
            frames: Vec::new(),
            completed: Vec::new(),
        };
        case.odd.make_crs();
        let replies = case.odd.path("marker.replies");
        fs::create_dir(&replies).unwrap();
        for each in recorded {
            let id = |bytes: &[u8]| JobId::of(Command::CreateProof, bytes);
            let made_up = || case.of_its_length(&each.request);
            let reply = each.reply.clone();
            let reply = reply.or_else(|| case.mock(&each.request).is_err().then(made_up));
            if let Some(reply) = &reply {
                fs::write(replies.join(id(&each.request).to_string()), reply).unwrap();
            }
            let ticket = TicketId(id(each.name.as_bytes()).0);
            case.expect(ticket, Command::CreateProof, &each.request, reply);
            case.requests.push(each.request);
        }
        case
    }

    /// Adds a frame, and the answer that Falafel must receive.
    fn expect(&mut self, ticket: TicketId, command: Command, data: &Bytes, reply: Option<Bytes>) {
        let reply = reply.unwrap_or_else(|| self.reply(command, data));
        let body = |command: u32, data: &[u8]| {
            Bytes::from([&ticket.0[..], &command.to_be_bytes(), data].concat())
        };
        self.frames.push(body(command.code(), data));
        self.completed.push(body(5, &reply));
        self.completed.sort();
    }

    /// Adds a recorded frame.
    fn ask_recorded(&mut self, name: &str) {
        let bytes = vector(name);
        let frame = Frame::parse(&bytes).unwrap();
        let command = Command::from_code(frame.command).unwrap();
        self.expect(frame.ticket, command, &frame.data, None);
        assert_eq!(self.frames[self.frames.len() - 1], bytes);
    }

    pub(crate) fn ask(&self, falafel: &Stub) {
        for frame in &self.frames {
            falafel.ask_frame(Frame::parse(frame).unwrap());
        }
    }

    /// The number of answers that Falafel must receive.
    pub(crate) fn asked(&self) -> usize {
        self.frames.len()
    }

    /// The prover's reply if no reply was recorded.
    fn reply(&self, command: Command, data: &Bytes) -> Bytes {
        match command {
            Command::GetJoinSplitVk => vec![100; 1168].into(),
            Command::GetAccountVk => vec![101; 1168].into(),
            _ => self.mock(data).unwrap(),
        }
    }

    fn mock(&self, request: &Bytes) -> Result<Bytes, Failure> {
        mock(self.sizes).reply(&Request::parse(request).unwrap())
    }

    fn of_its_length(&self, request: &Bytes) -> Bytes {
        let kind = Request::parse(request).unwrap().kind();
        vec![7; ReplyShape::of(kind, self.sizes).bytes.unwrap()].into()
    }

    /// The requests that the prover read, in order.
    fn read_by_prover(&self) -> Vec<Bytes> {
        let mut stream = Bytes::from(fs::read(self.odd.path("marker.stdin")).unwrap());
        let mut requests = Vec::new();
        while !stream.is_empty() {
            let end = needed_bytes(&stream).unwrap();
            requests.push(stream.split_to(end));
        }
        requests.sort();
        requests
    }

    #[track_caller]
    pub(crate) fn check(&self, completed: &[Bytes]) {
        // Equal requests are one job.
        let jobs: BTreeSet<_> = self.requests.iter().cloned().collect();
        let read = self.read_by_prover();
        assert!(read.into_iter().eq(jobs), "{}", self.sizes);
        assert!(completed == self.completed, "{}", self.sizes);
    }
}

/// The largest case, with all recorded frames. Requests with invented values are
/// left out if the gate has no exceptions.
pub(crate) fn production(made_up: bool) -> RecordedCase {
    let sizes = (28, 32);
    let mut requests = recorded().remove(&sizes).unwrap();
    let judge = RecordedCase::new(sizes, Vec::new());
    requests.retain(|recorded| made_up || judge.mock(&recorded.request).is_ok());
    assert!(requests.len() >= 40, "{}", requests.len());
    let mut case = RecordedCase::new(sizes, requests);
    for name in [
        "frame_getjob_create_proof_claim",
        "frame_getjob_create_proof_tx1",
        "frame_getjob_join_split_vk",
        "frame_getjob_account_vk",
    ] {
        case.ask_recorded(name);
    }
    case
}

/// The bridge's gate, which checks only lengths for requests with invented values.
#[derive(Debug)]
struct LenientGate(Sizes);

impl ReplyVerifier for LenientGate {
    fn verify(&self, kind: Kind, request: &Bytes, reply: &Bytes) -> Result<(), NotVerified> {
        let mock = mock(self.0);
        match Request::parse(request).map(|request| mock.reply(&request)) {
            Ok(Err(_)) => ReplyShape::of(kind, self.0)
                .check(kind, reply)
                .map_err(NotVerified::refused),
            _ => ReplyVerifier::verify(&Checker::RollupCli(self.0), kind, request, reply),
        }
    }
}

fn mock(sizes: Sizes) -> Proverless {
    Proverless::new(Suite::Pedersen, sizes, Duration::ZERO)
}

/// Waits for this number of bodies of `/job-complete` and returns them, sorted.
pub(crate) async fn answers(falafel: &Stub, count: usize) -> Vec<Bytes> {
    let all = async || falafel.seen().answers.len() >= count;
    eventually("every job is completed", all).await;
    let seen = falafel.seen();
    let bodies = seen.answers.iter().map(|(frame, _)| frame.to_bytes());
    let mut bodies: Vec<_> = bodies.collect();
    bodies.sort();
    bodies
}

async fn check(case: RecordedCase) {
    let falafel = Stub::start(LEASE);
    case.ask(&falafel);
    let upstreams = vec![Upstream::new("inner", falafel.url())];
    let cluster = Cluster::start(ClusterConfig {
        bridge: BridgeConfig::new(upstreams, case.sizes),
        worker: WorkerConfig::default(),
        broker: EmbeddedBrokerConfig::default(),
        provers: Provers::RollupCli(case.odd.provers(case.sizes)),
        verifier: Some(Arc::new(LenientGate(case.sizes))),
        topics: Topic::ALL.to_vec(),
        slots: 1,
        events: Events::default(),
    });
    let completed = answers(&falafel, case.asked()).await;
    cluster.unwrap().stop().await.unwrap();
    case.check(&completed);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_recorded_request_and_frame_passes_byte_for_byte() {
    check(production(true)).await;
    for (sizes, requests) in recorded() {
        if sizes != (28, 32) {
            check(RecordedCase::new(sizes, requests)).await;
        }
    }
}
