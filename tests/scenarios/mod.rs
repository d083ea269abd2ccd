//! Scenarios over the whole cluster: a simulated Falafel over HTTP, bridge,
//! broker, worker, prover child, and back.
//!
//! | scenario | what it pins down |
//! |---|---|
//! | `real_requests` | requests made by the original code come back proved, with the original's public inputs |
//! | `clients` | users' transactions are proved, accepted under the keys of two vk jobs, and verified before they are rolled up |
//! | `faults` | a crash costs an attempt, a wrong request becomes a dead letter; Falafel gets no NACK |
//! | `lies` | one changed bit in a reply of any kind halts Falafel with the reason |
//! | `load` | 900 jobs at once: all delivered, in order, in bounded memory |
//! | `logs` | a job's log lines are found by its id |
//! | `metrics` | `/metrics` equals docs/METRICS.md, and is served while all cores prove |
//! | `rollups` | three whole rollups settle, each with claims of the one before; workers and Falafel die in the root phase |
//! | `whole_rollup` | a final buffer is verified from its bytes and keys only; what `verify` refuses |
//! | `command_line` | the demo from end to end, `prove`, and the errors of wrong calls |

mod clients;
mod command_line;
mod faults;
mod lies;
mod load;
mod logs;
mod metrics;
mod real_requests;
mod rollups;
mod whole_rollup;
