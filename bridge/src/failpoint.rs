//! Where tests make tasks fail. Without the feature `test-util` there are none,
//! and they cost nothing.

use std::future::Future;

/// The failpoints of one bridge: one for each name of a task.
#[derive(Debug, Clone, Default)]
pub struct Failpoints {
    #[cfg(any(test, feature = "test-util"))]
    armed: std::sync::Arc<tokio::sync::watch::Sender<Vec<(String, Fault)>>>,
}

/// What happens at a failpoint.
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
    /// Makes the task of this name fail once: at once if it runs, else at its
    /// start.
    pub fn arm(&self, name: &str, fault: Fault) {
        let armed = (name.to_owned(), fault);
        self.armed.send_modify(|all| all.push(armed));
    }

    /// The task `name`, with its failpoint.
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
    /// The task itself.
    pub(crate) async fn within<T>(&self, _: &str, task: impl Future<Output = T>) -> Option<T> {
        Some(task.await)
    }
}
