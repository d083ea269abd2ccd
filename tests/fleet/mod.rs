//! The fleet: bridge and workers as processes of their own, on a real RabbitMQ
//! and a real Redis, for a simulated Falafel.
//!
//! | scenario | what it pins down |
//! |---|---|
//! | `console` | the console of a bridge that starts later shows the whole rollup |
//! | `whole` | provision, bridge, workers: a rollup settles |
//! | `many` | a thousand claims keep their order, no worker idles; a restarted Falafel gets finished proofs |
//! | `failover` | kill -9 of two primaries of Redis, one after the other: no job is lost |
//! | `kills` | kill -9 of a worker, of the bridge, of RabbitMQ: Falafel notices nothing |
//! | `traces` | a collector gets one trace for each job, from the bridge to the worker and back |
//! | `upgrade` | a fleet takes over the jobs of release 0.1.0: each is delivered or stays a dead letter |
//! | `waits` | a minute without a worker, half a minute without Redis: Falafel notices nothing |
//!
//! The tests print their measurements in lines that begin with `figure:`.

mod console;
mod failover;
mod kills;
mod many;
#[cfg(feature = "otlp")]
mod traces;
mod upgrade;
mod waits;
mod whole;
