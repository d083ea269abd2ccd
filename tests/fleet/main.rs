//! The fleet: bridge and workers as processes of their own, on a real RabbitMQ
//! and a real Redis, for a simulated Falafel.
//!
//! | scenario | what it pins down |
//! |---|---|
//! | `whole` | provision, bridge, workers: a rollup settles |
//! | `many` | a thousand claims keep their order; a restarted Falafel gets what is finished |
//! | `kills` | kill -9 of a worker, of the bridge, of RabbitMQ, a hung Redis: Falafel notices nothing |

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod kills;
mod many;
mod services;
mod stage;
mod whole;
