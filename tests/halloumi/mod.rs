//! zkWhirl in place of Halloumi: the same variables, routes and prover protocol.
//!
//! | scenario | what it pins down |
//! |---|---|
//! | `up` | `zkwhirl up` as a process: Falafel's two modes, wrong variables, keys after a restart |
//! | `api` | the HTTP API of `zkwhirl up`, over plain sockets |
//! | `proverless` | PROVERLESS=true needs neither network nor keys, at any size |
//! | `misbehaviours` | a prover that misbehaves in every way costs an attempt and is replaced |
//! | `vectors` | every recorded request and frame, compared byte for byte from Falafel to the prover and back |
//! | `fleet` | a `rollup_cli` on a real RabbitMQ and Redis; keys survive the loss of all but Redis |
//! | `rollup_cli` | `zkwhirl rollup-cli` as a process: arguments, codes, framing, exit |
//! | `pitfalls` | for each pitfall of Halloumi, the named test exists |

mod api;
mod fleet;
mod misbehaviours;
mod pitfalls;
mod proverless;
mod rollup_cli;
mod stage;
mod up;
mod vectors;
