//! Failpoints, by which tests make tasks fail. Without the feature `test-util` no
//! failpoints exist, at no cost.

use std::future::Future;

/// The failpoints of one bridge: one for each name of a task.
#[derive(Debug, Clone, Default)]
pub struct Failpoints {
    #[cfg(any(test, feature = "test-util"))]
    armed: std::sync::Arc<tokio::sync::watch::Sender<Vec<(String, Fault)>>>,
}

/// The fault of a task at its failpoint.
#[cfg(any(test, feature = "test-util"))]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The task panics.
    Panic,
    /// The task returns.
    Return,
}

#[cfg(any(test, feature = "test-util"))]
impl Failpoints {
    /// Makes the task of this name fail once: now if it runs, otherwise at its start.
    pub fn arm(&self, name: &str, fault: Fault) {
        let armed = (name.to_owned(), fault);
        self.armed.send_modify(|all| all.push(armed));
    }

    /// Runs the task `name` with its failpoint. `None`: the fault was to return.
    pub(crate) async fn within<T>(&self, name: &str, task: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            fault = self.reached(name) => match fault {
                Fault::Panic => panic!("failpoint {name}"),
                Fault::Return => None,
            },
            done = task => Some(done),
        }
    }

    async fn reached(&self, name: &str) -> Fault {
        let mut armed = self.armed.subscribe();
        loop {
            let mut fault = None;
            self.armed.send_if_modified(|all| {
                let at = all.iter().position(|(armed, _)| armed == name);
                fault = at.map(|at| all.swap_remove(at).1);
                false
            });
            if let Some(fault) = fault {
                return fault;
            }
            if armed.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }
}

#[cfg(not(any(test, feature = "test-util")))]
impl Failpoints {
    /// Runs the task.
    pub(crate) async fn within<T>(&self, _: &str, task: impl Future<Output = T>) -> Option<T> {
        Some(task.await)
    }
}
