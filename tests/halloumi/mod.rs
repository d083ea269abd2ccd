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

mod api;
mod fleet;
mod misbehaviours;
mod pitfalls;
mod proverless;
mod rollup_cli;
mod stage;
mod up;
mod vectors;
