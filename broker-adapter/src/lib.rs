//! The broker: queues for jobs that take minutes and workers that may die.
//!
//! The trait [`Broker`] is the part of RabbitMQ's quorum queues that zkWhirl relies
//! on; `conformance` has one test per behaviour, which every back-end runs. Delivery
//! is at least once: a job may be delivered again after any settlement, and every
//! user of the trait must allow for that.

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
