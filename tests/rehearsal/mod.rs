//! The autoscaler's loop over a real fleet: RabbitMQ, Redis and Prometheus, a
//! bridge and up to 32 workers as processes, and the planner's autoscaler with
//! the manifest of k8s/base in Kubernetes' place. The loop reads the recording
//! rule's series from Prometheus, starts workers, and ends them with SIGTERM in a
//! ReplicaSet's order. Time is compressed: ten seconds of the autoscaler are one
//! second of the test.
//!
//! | scenario | what it pins down |
//! |---|---|
//! | `burst` | 32 jobs → 32 workers → 1, some ended while proving: no job lost, none proved twice |

mod burst;
mod prometheus;
mod replicas;
