//! The events that were broadcast since the start of a stage.

use std::{
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use tokio::sync::broadcast::{Receiver, error::TryRecvError};
use zkwhirl_testkit::until_some;

/// The events so far. A thread empties the receiver, so that no event is missed
/// while a test waits for another event.
#[derive(Debug)]
pub(crate) struct EventLog<T>(Arc<Mutex<Kept<T>>>);

#[derive(Debug)]
struct Kept<T> {
    receiver: Receiver<T>,
    all: Vec<T>,
}

impl<T: Clone + Send + 'static> EventLog<T> {
    pub(crate) fn of(receiver: Receiver<T>) -> Self {
        let all = Vec::new();
        let kept = Arc::new(Mutex::new(Kept { receiver, all }));
        let ours = Arc::downgrade(&kept);
        thread::spawn(move || {
            while let Some(kept) = ours.upgrade() {
                // A panic here poisons the lock, so that the test fails.
                kept.lock().unwrap().take_in();
                drop(kept);
                thread::park_timeout(Duration::from_millis(20));
            }
        });
        Self(kept)
    }

    pub(crate) fn all(&self) -> Vec<T> {
        self.from(0)
    }

    /// Waits for the first event since the start for which `choose` returns `Some`,
    /// and returns the value.
    pub(crate) async fn until<A>(&self, what: &str, choose: impl Fn(&T) -> Option<A>) -> A {
        let mut seen = 0;
        until_some(what, async || {
            let new = self.from(seen);
            seen += new.len();
            new.iter().find_map(&choose)
        })
        .await
    }

    fn from(&self, place: usize) -> Vec<T> {
        let mut kept = self.0.lock().unwrap();
        kept.take_in();
        kept.all[place..].to_vec()
    }
}

impl<T: Clone> Kept<T> {
    fn take_in(&mut self) {
        loop {
            match self.receiver.try_recv() {
                Ok(event) => self.all.push(event),
                Err(TryRecvError::Lagged(count)) => panic!("{count} events were missed"),
                Err(TryRecvError::Empty | TryRecvError::Closed) => return,
            }
        }
    }
}
