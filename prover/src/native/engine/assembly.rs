//! A reply put together from a statement and its proofs.

use bytes::{BufMut, Bytes, BytesMut};
use zkwhirl_job::reply::{NativeProof, ReplyError};

use crate::native::{
    reply::{Statement, carried_keys},
    setting::{Setting, suite_tag},
};

/// The reply: the fields that it starts with, then the new proofs and those
/// that the request carries. `own` has the digest of the key and the proof of
/// each part.
pub(super) fn reply(
    setting: &Setting,
    statement: Statement,
    mut own: Vec<([u8; 32], [u8; 128])>,
) -> Result<Bytes, ReplyError> {
    let Statement {
        fields,
        form,
        words,
        carried,
        inners,
        ..
    } = statement;
    if let Some(inners) = inners {
        return inners.reply(setting, fields, own[0]);
    }
    let mut vks: Vec<[u8; 32]> = own.iter().map(|(vk, _)| *vk).collect();
    // Proofs of one circuit stand together.
    vks.dedup();
    vks.extend(carried_keys(&carried));
    own.extend(carried.iter().map(|client| (client.vk, client.proof)));
    let tail = NativeProof {
        suite: suite_tag(setting.suite()),
        form,
        vks,
        words,
        proofs: own.into_iter().map(|(_, proof)| proof).collect(),
    };
    let tail = tail.to_bytes();
    let mut out = BytesMut::with_capacity(32 * fields.len() + tail.len());
    fields.iter().for_each(|field| out.put_slice(&field.0));
    out.put_slice(&tail);
    Ok(out.freeze())
}
