//! In place of Halloumi: the same variables, routes and prover protocol.
//!
//! | scenario | what it pins down |
//! |---|---|
//! | `up` | `zkwhirl up` as a process: Falafel's two modes, wrong variables, keys after a restart |
//! | `api` | its HTTP API over bare sockets |
//! | `proverless` | PROVERLESS=true needs neither network nor keys, at any size |
//! | `misbehaviours` | a prover that misbehaves in every way costs an attempt and is replaced |
//! | `vectors` | every recorded request and frame, byte for byte, from Falafel to the prover's standard input and back |
//! | `fleet` | the same on a real RabbitMQ and Redis; keys outlive everything but Redis |
//! | `rollup_cli` | `zkwhirl rollup-cli` as a process: arguments, codes, framing, its end |
//! | `pitfalls` | each pitfall of the original has its test, by name |

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod api;
mod fleet;
mod misbehaviours;
mod pitfalls;
mod proverless;
mod recorder;
mod rollup_cli;
#[path = "../fleet/services.rs"]
#[expect(dead_code, reason = "the fleet's own tests use all of it")]
mod services;
mod stage;
mod support;
mod up;
mod vectors;
