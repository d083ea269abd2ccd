//! The autoscaler's loop over a real fleet: RabbitMQ, Redis and Prometheus, a
//! bridge and up to 32 workers as processes, and the planner's autoscaler with
//! the committed manifest in Kubernetes' place. It reads the committed recording
//! rule's series from Prometheus, starts workers, and ends them with SIGTERM in
//! a ReplicaSet's order. Time is compressed: ten seconds of the autoscaler's are
//! one of the test's.
//!
//! | scenario | what it pins down |
//! |---|---|
//! | `burst` | 32 jobs → 32 workers → 1, busy ones among those that are ended: nothing lost, nothing proved twice |

mod burst;
mod prometheus;
mod replicas;
