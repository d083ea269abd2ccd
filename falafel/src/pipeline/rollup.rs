//! Runs one rollup: claims, inner rollups, root rollup, root verifier, settlement.

use std::sync::Arc;

use bytes::Bytes;

use super::{JobError, Pipeline, asked::Asked, blocking};
use crate::{
    FalafelEvent,
    locked::locked,
    users::{ClientKeys, TxReceiver},
    world::{Draft, RootJob},
};

impl Pipeline {
    pub(super) async fn rollup(&self) -> Result<(), JobError> {
        let (draft, claims) = self.claims().await?;
        let keys = self.transactions().await;
        let (draft, inners) = self.inners(draft, claims, keys).await?;
        let count = inners.len();
        let root = draft.root(&inners);
        let RootJob { request, broadcast } = root.expect("the draft has its inner rollups");
        let root = Asked::root(request, &broadcast);
        let root_reply = self.prove_one(root).await?;
        let verifier = Asked::verifier(root_reply, &broadcast);
        let buffer = self.prove_one(verifier).await?;
        self.settle(draft, count, buffer).await
    }

    /// Begins a rollup and proves all its claims at once; returns the claims' replies.
    async fn claims(&self) -> Result<(Draft, Vec<Bytes>), JobError> {
        let (world, plan) = (self.world(), self.plan.clone());
        let (draft, claims) = blocking(move || {
            let mut draft = world.begin(plan.sizes);
            let claims = draft.claims(plan.max_claims);
            (draft, claims)
        })
        .await;
        self.parts.emit(FalafelEvent::RollupStarted {
            rollup_id: draft.rollup_id(),
            claims: claims.len(),
        });
        let replies = self.prove_all(claims.into_iter().map(Asked::claim));
        Ok((draft, replies.await?))
    }

    /// Accepts transactions, builds all inner rollups and proves them at once.
    async fn inners(
        &self,
        mut draft: Draft,
        claims: Vec<Bytes>,
        keys: Option<ClientKeys>,
    ) -> Result<(Draft, Vec<Bytes>), JobError> {
        let txs = self.plan.txs;
        let (parts, pool) = (Arc::clone(&self.parts), Arc::clone(&self.pool));
        let (draft, inners) = blocking(move || {
            let door = TxReceiver {
                proofs: &*parts.clients,
                keys: keys.as_ref(),
                pool: &pool,
            };
            let inners = draft.inners(txs, &claims, &door);
            (draft, inners)
        })
        .await;
        let inners = inners.inspect_err(|why| {
            locked(&self.progress).refused.push(why.to_string());
        })?;
        let replies = self.prove_all(inners.into_iter().map(Asked::inner));
        Ok((draft, replies.await?))
    }

    /// Verifies the final buffer without any request, then settles the rollup.
    async fn settle(&self, draft: Draft, inners: usize, buffer: Bytes) -> Result<(), JobError> {
        let check = Arc::clone(&self.parts.check);
        let final_bytes = buffer.len();
        let proofs = blocking(move || check.check_final(&buffer)).await;
        let proofs = proofs.map_err(|why| {
            let why = why.in_part("the final buffer");
            locked(&self.progress).refused.push(why.to_string());
            JobError::Refused(why)
        })?;
        let settled = FalafelEvent::RollupSettled {
            rollup_id: draft.rollup_id(),
            inners,
            txs: draft.txs(),
            final_bytes,
            proofs,
        };
        let world = blocking(move || draft.settle()).await;
        *locked(&self.world) = Arc::new(world);
        self.pool.clear();
        locked(&self.progress).settled += 1;
        self.parts.emit(settled);
        Ok(())
    }
}
