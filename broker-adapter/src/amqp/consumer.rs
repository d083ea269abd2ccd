//! A worker's place in the queues.
//!
//! Each consumer has a channel of its own with a prefetch of 1, and an actor
//! that owns it: claims may be dropped at any point, what the broker sent in
//! between is kept for the next claim or handed back on leaving. Nothing is
//! consumed unless somebody claims: consuming starts with a claim and ends just
//! before the delivery is settled, so that the broker never gives a worker a
//! job that nobody there waits for.

use std::{future::poll_fn, pin::Pin, sync::Arc, task::Poll};

use async_trait::async_trait;
use futures_core::Stream;
use lapin::{
    message::Delivery as Message,
    options::{BasicConsumeOptions, BasicGetOptions, BasicQosOptions},
    types::FieldTable,
};
use tokio::sync::{mpsc, oneshot};
use zkwhirl_job::{Topic, envelope::JobEnvelope};

use super::{
    Shared, dead,
    error::{away, call},
    message::{DELIVERY_COUNT, LEFT_TO_OTHERS, count, left_to_others, trace},
    names::jobs_queue,
    receipt::{Held, Receipt, Seat},
    stream::next,
    topology::count_queue,
};
use crate::{BrokerError, Delivery, JobConsumer, Rung, Settlement};

/// How often a job is left to workers that have not failed it. The first time
/// it goes behind the other jobs, then it waits on the shortest rung: half a
/// minute in all.
const TIMES_LEFT: u32 = 3;

type Answer = Result<Delivery, BrokerError>;

#[derive(Debug)]
pub(super) struct Consumer {
    claims: mpsc::Sender<oneshot::Sender<Answer>>,
}

impl Consumer {
    /// Joins queues that are there: a caller that comes back after every error
    /// must meet the error here, where it pauses.
    pub(super) async fn join(
        shared: &Arc<Shared>,
        topics: &[Topic],
        worker: &str,
    ) -> Result<Self, BrokerError> {
        for topic in topics {
            count_queue(shared, jobs_queue(*topic)).await?;
        }
        let (claims, asked) = mpsc::channel(1);
        let actor = Actor {
            shared: shared.clone(),
            topics: topics.to_vec(),
            worker: worker.to_owned(),
            seat: None,
            consumers: Vec::new(),
        };
        shared.handle.spawn(actor.run(asked));
        Ok(Self { claims })
    }
}

#[async_trait]
impl JobConsumer for Consumer {
    async fn claim(&mut self) -> Answer {
        let gone = || BrokerError::Away("the process shuts down".into());
        let (claim, answer) = oneshot::channel();
        self.claims.send(claim).await.map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }
}

struct Actor {
    shared: Arc<Shared>,
    topics: Vec<Topic>,
    worker: String,
    seat: Option<Arc<Seat>>,
    /// What is consumed at the moment, in the order of `topics`.
    consumers: Vec<lapin::Consumer>,
}

impl Actor {
    async fn run(mut self, mut asked: mpsc::Receiver<oneshot::Sender<Answer>>) {
        // A delivery that nobody waited for any more when it came.
        let mut kept: Option<Delivery> = None;
        while let Some(mut claim) = asked.recv().await {
            let answer = match kept.take() {
                Some(kept) => Some(Ok(kept)),
                None => self.claim(&mut claim).await,
            };
            let Some(answer) = answer else { continue };
            if let Err(Ok(unwanted)) = claim.send(answer) {
                kept = Some(unwanted);
            }
        }
        self.leave(kept).await;
    }

    /// A job, or `None` when the claim was given up.
    async fn claim(&mut self, claim: &mut oneshot::Sender<Answer>) -> Option<Answer> {
        loop {
            let arrived = match self.arrival(claim).await {
                Ok(Some(arrived)) => arrived,
                Ok(None) => return None,
                Err(error) => {
                    // Whatever happened to it, the next claim takes a new one.
                    self.stand_up();
                    return Some(Err(error));
                }
            };
            let (message, seat) = arrived;
            match self.take(message, &seat).await {
                Ok(Some(delivery)) => return Some(Ok(delivery)),
                Ok(None) => {}
                Err(error) => return Some(Err(error)),
            }
        }
    }

    /// The next message of the queues.
    async fn arrival(
        &mut self,
        claim: &mut oneshot::Sender<Answer>,
    ) -> Result<Option<(Message, Arc<Seat>)>, BrokerError> {
        let seat = self.sit_down().await?;
        seat.quiet().await;
        if seat.consumes_nothing() {
            self.consumers.clear();
            if let Some(message) = self.look_in_order(&seat).await? {
                return Ok(Some((message, seat)));
            }
            self.consume(&seat).await?;
        }
        let arrived = tokio::select! {
            arrived = first(&mut self.consumers) => arrived,
            () = claim.closed() => return Ok(None),
        };
        let message = match arrived {
            Some(Ok(message)) => message,
            Some(Err(error)) => return Err(away("waiting for a job", &error)),
            None => {
                return Err(BrokerError::Away(
                    "the broker ended the consumer: is the queue still there?".into(),
                ));
            }
        };
        if self.consumers.len() > 1 {
            self.give_back_the_rest(&seat).await;
        }
        Ok(Some((message, seat)))
    }

    async fn sit_down(&mut self) -> Result<Arc<Seat>, BrokerError> {
        if let Some(seat) = &self.seat
            && seat.holds()
        {
            return Ok(seat.clone());
        }
        self.stand_up();
        let channel = self.shared.consuming.channel().await?;
        let qos = channel.basic_qos(1, BasicQosOptions::default());
        call("setting the prefetch", self.shared.config.call_timeout, qos).await?;
        let seat = Arc::new(Seat::new(channel));
        self.seat = Some(seat.clone());
        Ok(seat)
    }

    fn stand_up(&mut self) {
        self.consumers.clear();
        if let Some(seat) = self.seat.take() {
            let shared = self.shared.clone();
            self.shared
                .handle
                .spawn(async move { seat.leave(&shared).await });
        }
    }

    /// Where several topics have work, the first goes first: consumers have no
    /// order, so the queues are asked one by one before they are waited for.
    async fn look_in_order(&self, seat: &Seat) -> Result<Option<Message>, BrokerError> {
        if self.topics.len() < 2 {
            return Ok(None);
        }
        for topic in &self.topics {
            let options = BasicGetOptions::default();
            let get = seat.channel().basic_get(jobs_queue(*topic).into(), options);
            let limit = self.shared.config.call_timeout;
            if let Some(message) = call("taking a job", limit, get).await? {
                return Ok(Some(message.delivery));
            }
        }
        Ok(None)
    }

    async fn consume(&mut self, seat: &Seat) -> Result<(), BrokerError> {
        for topic in &self.topics {
            let tag = seat.new_tag(&self.worker);
            let consuming = seat.channel().basic_consume(
                jobs_queue(*topic).into(),
                tag.as_str().into(),
                BasicConsumeOptions::default(),
                FieldTable::default(),
            );
            let limit = self.shared.config.call_timeout;
            let consumer = call("joining the queue", limit, consuming).await?;
            self.consumers.push(consumer);
        }
        Ok(())
    }

    /// One job at a time: what another topic sent meanwhile must not wait until
    /// this job is done.
    async fn give_back_the_rest(&mut self, seat: &Arc<Seat>) {
        seat.stop_consuming(&self.shared).await;
        for mut consumer in std::mem::take(&mut self.consumers) {
            while let Some(Ok(message)) = next(&mut consumer).await {
                // Dropped, it is redelivered and counted: nothing is lost.
                if let Err(error) = self.return_unseen(message, seat).await {
                    tracing::debug!("a job that came too late was not handed back: {error}");
                }
            }
        }
    }

    /// Hands back what nobody has seen.
    async fn return_unseen(&self, message: Message, seat: &Arc<Seat>) -> Result<(), BrokerError> {
        if let Some(opened) = self.open(message, seat).await? {
            let back = self.shared.mail.hand_back(&opened.job)?;
            opened.held.settle(Some(back)).await?;
        }
        Ok(())
    }

    /// What is in a message. `None`: it could not be read and was buried.
    async fn open(
        &self,
        message: Message,
        seat: &Arc<Seat>,
    ) -> Result<Option<Opened>, BrokerError> {
        let held = Held::new(self.shared.clone(), seat.clone(), message.acker);
        let error = match JobEnvelope::parse(&message.data) {
            Ok(mut job) => {
                job.trace = trace(&message.properties);
                let crashes = count(&message.properties, DELIVERY_COUNT);
                return Ok(Some(Opened {
                    held,
                    job,
                    crashes,
                    left: count(&message.properties, LEFT_TO_OTHERS),
                    again: message.redelivered || crashes > 0,
                }));
            }
            Err(error) => error.to_string(),
        };
        let letter = dead::unreadable(&message.data, &message.properties, &error);
        tracing::warn!("{}", letter.reason);
        held.settle(Some(self.shared.mail.letter(&letter)?)).await?;
        Ok(None)
    }

    /// A job for this worker, unless it cannot be read or is left to others.
    async fn take(
        &self,
        message: Message,
        seat: &Arc<Seat>,
    ) -> Result<Option<Delivery>, BrokerError> {
        let Some(opened) = self.open(message, seat).await? else {
            return Ok(None);
        };
        let mail = &self.shared.mail;
        let left = opened.left;
        let back = match left {
            _ if !self.has_failed(&opened.job) => return Ok(Some(opened.deliver())),
            0 => mail.hand_back(&opened.job)?,
            1..TIMES_LEFT if self.others_wait(opened.job.topic()).await => {
                mail.retry(&opened.job, Rung::Short)?
            }
            _ => return Ok(Some(opened.deliver())),
        };
        let back = left_to_others(back, left + 1);
        match opened.held.settle(Some(back)).await {
            Ok(_) => Ok(None),
            // While nothing can be published it is ours: dropping it would
            // count as a crash, and a long alarm would bury it.
            Err(error) => {
                tracing::debug!("a job could not be left to others: {error}");
                Ok(Some(opened.deliver()))
            }
        }
    }

    async fn others_wait(&self, topic: Topic) -> bool {
        let counted = count_queue(&self.shared, jobs_queue(topic)).await;
        counted.is_ok_and(|count| count.consumers > 1)
    }

    /// Whether this worker failed the job in this series of attempts: a
    /// replayed job starts afresh.
    fn has_failed(&self, job: &JobEnvelope) -> bool {
        let series = job
            .history
            .len()
            .min(job.attempt.saturating_sub(1) as usize);
        let failed = &job.history[job.history.len() - series..];
        failed.iter().any(|record| record.worker == self.worker)
    }

    async fn leave(mut self, kept: Option<Delivery>) {
        if let Some(mut kept) = kept
            && let Err(error) = kept.settle(&Settlement::HandBack).await
        {
            tracing::debug!("a job that nobody waited for was not handed back: {error}");
        }
        if let Some(seat) = self.seat.clone() {
            self.give_back_the_rest(&seat).await;
            seat.leave(&self.shared).await;
        }
    }
}

/// A job that was read.
struct Opened {
    held: Arc<Held>,
    job: JobEnvelope,
    /// Deliveries that ended without a settlement.
    crashes: u32,
    /// How often it was left to others.
    left: u32,
    again: bool,
}

impl Opened {
    fn deliver(self) -> Delivery {
        let receipt = Receipt::new(self.held, self.job.clone());
        let queue = jobs_queue(self.job.topic());
        Delivery::new(self.job, queue, Box::new(receipt)).after(self.crashes, self.again)
    }
}

/// The first message of several consumers, asked in their order; `None` when
/// one of them has ended.
async fn first(consumers: &mut [lapin::Consumer]) -> Option<lapin::Result<Message>> {
    poll_fn(|context| {
        for consumer in consumers.iter_mut() {
            if let Poll::Ready(item) = Pin::new(consumer).poll_next(context) {
                return Poll::Ready(item);
            }
        }
        Poll::Pending
    })
    .await
}
