//! Labels with closed sets of values.

/// A label and every value that it can have.
#[derive(Debug, PartialEq, Eq)]
pub struct Label {
    /// Its name.
    pub name: &'static str,
    /// What it says.
    pub help: &'static str,
    /// Its values.
    pub values: &'static [&'static str],
}

macro_rules! labels {
    ($($name:ident $text:literal $help:literal [$($value:expr),*];)*) => {
        $(#[doc = $help] pub(crate) static $name: Label = Label {
            name: $text,
            help: $help,
            values: &[$($value),*],
        };)*
        /// All labels.
        pub(crate) static ALL: &[&Label] = &[$(&$name),*];
    };
}

labels! {
    TOPIC "topic" "Inner: transaction rollups and claims. Outer: everything else."
        ["inner", "outer"];
    STATE "state" "Where a job is in its life."
        ["taken", "queued", "claimed", "proving", "retrying", "proved", "dead"];
    COMPLETION "outcome" "How a job ended, or that it was parked as a dead letter."
        ["ok", "dead", "rejected", "withdrawn"];
    ATTEMPT "outcome" "How an attempt ended: proved, or the class of its failure."
        ["ok", "invalid", "prover", "infrastructure", "interrupted"];
    DURATION "outcome" "How an attempt ended; cancelled: by a drain or because nobody waits."
        ["ok", "error", "cancelled"];
    RETRY "reason" "Why a job is tried again."
        ["invalid", "prover", "infrastructure", "unverified", "handed_back", "lost"];
    DEATH "reason" "Why a job was parked: its request can never be proved, its attempts are used up, no worker survived it, its message was damaged or of another release, or the bridge panicked over it."
        ["request", "attempts", "crashes", "damaged", "version", "bridge"];
    WASTE "reason" "Why finished work was of no use."
        ["invalid", "prover", "infrastructure", "interrupted", "unverified", "duplicate"];
    PLACE "place" "Where the broker holds a job."
        ["ready", "in_flight", "retrying"];
    PHASE "phase" "Of an attempt: fetching the request, loading keys, witness, proof, verification, publishing the result."
        ["fetch", "key", "witness", "prove", "verify", "publish"];
    STAGE "stage" "Of a rollup: its inner rollups, its root rollup, its root verifier."
        ["inner", "root", "verifier"];
    SLOT "state" "Activity of a slot: starting its prover, waiting for a job, proving, or out of the queue (quiet, out of memory, or the broker is away)."
        ["loading", "idle", "busy", "away"];
    UPSTREAM "upstream" "Falafel's job server."
        ["inner", "outer"];
    CALL "result" "Whether a call was answered."
        ["ok", "error"];
    KEY_SOURCE "source" "Where a proving key came from: this machine's disk, or the fleet's store, or made here."
        ["disk", "fleet", "made"];
    QUEUE "queue" "Kind of the published message."
        ["jobs", "results"];
    CONNECTION "connection" "Which of a process's connections to RabbitMQ."
        ["publisher", "consumer"];
    ROUTE "route" "Route of the HTTP API."
        ["index", "create-proof", "get-join-split-vk", "get-account-vk", "reset", "metrics", "other"];
    CODE "code" "Class of the status code."
        ["2xx", "4xx", "5xx"];
    VERSION "version" "Of zkWhirl."
        [env!("CARGO_PKG_VERSION")];
    PART "part" "The process itself, or its prover processes."
        ["service", "provers"];
}
