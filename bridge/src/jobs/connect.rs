//! The parts that jobs go through, connected.

use std::sync::Arc;

use tokio::sync::Notify;

use super::{
    answers::Answers,
    client_vks::{ClientVks, KnownVks},
    dispatch::Dispatch,
    endings::Endings,
    publisher::{Backlog, Publisher},
    requests::Requests,
    results::Results,
    unverified::Unverified,
};
use crate::{
    gate::Gate,
    services::Services,
    tickets::{Callers, Tickets},
};

/// The parts that jobs go through; cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Jobs {
    pub(crate) services: Services,
    pub(crate) tickets: Arc<Tickets>,
    pub(crate) callers: Arc<Callers>,
    pub(crate) answers: Arc<Answers>,
    pub(crate) results: Arc<Results>,
    pub(crate) client_vks: Arc<KnownVks>,
    pub(crate) requests: Arc<Requests>,
    pub(crate) endings: Arc<Endings>,
    pub(crate) publisher: Arc<Publisher>,
    pub(crate) unverified: Arc<Unverified>,
    pub(crate) dispatch: Arc<Dispatch>,
}

/// What jobs are connected to.
#[derive(Debug)]
pub(crate) struct JobsDeps {
    pub(crate) services: Services,
    pub(crate) tickets: Arc<Tickets>,
    pub(crate) gate: Gate,
    pub(crate) client_vks: Option<Arc<dyn ClientVks>>,
    pub(crate) compare: Arc<Notify>,
}

impl Jobs {
    /// The parts, and the backlog of each topic that the publisher runs.
    pub(crate) fn new(deps: JobsDeps) -> (Self, [Backlog; 2]) {
        let (services, tickets) = (deps.services, deps.tickets);
        let callers = Arc::new(Callers::new());
        let requests = Arc::new(Requests::new(&services, deps.compare));
        let endings = Arc::new(Endings {
            services: services.clone(),
            requests: requests.clone(),
        });
        let (publisher, backlogs) =
            Publisher::new(services.clone(), requests.clone(), endings.clone());
        let publisher = Arc::new(publisher);
        let answers = Answers::new(&services, &tickets, &callers, &endings);
        let answers = Arc::new(answers);
        let results = Arc::new(Results {
            services: services.clone(),
            gate: deps.gate,
            requests: requests.clone(),
            answers: answers.clone(),
            publisher: publisher.clone(),
            endings: endings.clone(),
        });
        let unverified = Unverified::new(services.clone(), results.clone(), endings.clone());
        let unverified = Arc::new(unverified);
        let client_vks = KnownVks::new(services.clone(), results.clone(), deps.client_vks);
        let client_vks = Arc::new(client_vks);
        let dispatch = Arc::new(Dispatch {
            services: services.clone(),
            requests: requests.clone(),
            publisher: publisher.clone(),
            results: results.clone(),
            unverified: unverified.clone(),
            answers: answers.clone(),
            endings: endings.clone(),
            client_vks: client_vks.clone(),
        });
        let jobs = Self {
            services,
            tickets,
            callers,
            answers,
            results,
            client_vks,
            requests,
            endings,
            publisher,
            unverified,
            dispatch,
        };
        (jobs, backlogs)
    }
}
