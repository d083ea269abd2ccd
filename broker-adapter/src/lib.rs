//! What a broker must do for jobs that take minutes and workers that die.
//!
//! The trait is the part of RabbitMQ's quorum queues that zkWhirl relies on;
//! `broker::conformance` states it as tests, which every back-end runs.
//! Everything is at least once: a job may be delivered again after any
//! settlement, and every user must bear that.

pub mod amqp;
mod broker;
#[cfg(any(test, feature = "test-util"))]
pub mod conformance;
mod control;
mod dead_letter;
mod embedded;
mod types;
mod unread;

pub(crate) use broker::Settler;
pub use broker::{
    Broker, DELIVERY_LIMIT, Delivery, JobConsumer, RESULT_PREFETCH, ResultConsumer, ResultDelivery,
};
pub use control::{Control, ControlConsumer};
pub use dead_letter::{DeadClass, DeadLetter};
pub use embedded::{EmbeddedBroker, EmbeddedBrokerConfig};
pub use types::{BrokerError, Depth, Rung, Settlement};
pub(crate) use unread::UNREAD_LIMIT;
