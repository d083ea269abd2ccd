//! Tests over many crates, in one executable. `./test -p zkwhirl --test cluster
//! fleet::` runs one suite.
//!
//! | suite | what it pins down |
//! |---|---|
//! | `scenarios` | a whole cluster in this process: proofs, faults, lies, load, logs, metrics, the command line |
//! | `fleet` | bridge and workers as processes on a real RabbitMQ and Redis; kill -9 of each part |
//! | `rehearsal` | the autoscaler's loop over a real fleet |
//! | `halloumi` | in place of Halloumi: variables, routes, the prover protocol |
//! | `keys` | keys: commands, contract, ceremonies |
//! | `console` | the console's API, its page in Chromium, the commands that use the API |
//!
//! No test depends on the machine's speed: a test waits for an event for many
//! minutes, and prints durations (`figure: …`) instead of asserting them.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod console;
mod fleet;
mod halloumi;
mod keys;
mod rehearsal;
mod scenarios;
mod stage;
