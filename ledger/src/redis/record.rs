//! Job records and tickets as the fields of Redis hashes.
//!
//! The fields are texts, so that an operator can read them with `redis-cli`;
//! numbers are decimal, an absent option is an empty text.

use std::{collections::HashMap, str::FromStr};

use redis::Value;
use zkwhirl_job::{JobId, Kind, TicketId, limits};

use super::frame::{Damage, cut};
use crate::{JobRecord, Note, Ticket};

/// How many bytes a record or a ticket may have.
pub(super) const BYTES: usize = 32 << 10;
/// The longest stored name of a worker, bridge or upstream, in bytes.
pub(super) const NAME: usize = 256;

pub(super) fn fields(record: &JobRecord) -> Vec<(&'static str, String)> {
    let option = |value: Option<String>| value.unwrap_or_default();
    let reason = record.reason.as_deref().unwrap_or_default();
    let worker = record.worker.as_deref().unwrap_or_default();
    vec![
        ("state", record.state.name().to_owned()),
        ("command", record.command.to_string()),
        ("kind", option(record.kind.map(|kind| kind.to_string()))),
        ("rollup", option(record.rollup_id.map(|id| id.to_string()))),
        ("bytes", record.request_bytes.to_string()),
        ("taken", record.taken_at_ms.to_string()),
        ("changed", record.changed_at_ms.to_string()),
        ("attempt", record.attempt.to_string()),
        ("worker", cut(worker, NAME).to_owned()),
        ("reason", cut(reason, limits::ERROR_TEXT_BYTES).to_owned()),
    ]
}

pub(super) fn noted(note: &Note) -> Vec<(&'static str, String)> {
    let text = |name, text: &Option<String>, limit| {
        let text = text.as_deref();
        text.map(|text| (name, cut(text, limit).to_owned()))
    };
    let attempt = note.attempt.map(|attempt| ("attempt", attempt.to_string()));
    let worker = text("worker", &note.worker, NAME);
    let reason = text("reason", &note.reason, limits::ERROR_TEXT_BYTES);
    [attempt, worker, reason].into_iter().flatten().collect()
}

/// Reads a record from its fields, or returns what is wrong with it.
pub(super) fn record(id: JobId, fields: &[Value]) -> Result<JobRecord, Damage> {
    let fields = HashFields::of(fields)?;
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let kind = fields.text("kind")?.parse::<Kind>().ok();
    let rollup_id = match fields.text("rollup")? {
        "" => None,
        _ => Some(fields.parsed("rollup")?),
    };
    Ok(JobRecord {
        id,
        command: fields.parsed("command")?,
        kind,
        rollup_id,
        request_bytes: fields.parsed("bytes")?,
        taken_at_ms: fields.parsed("taken")?,
        changed_at_ms: fields.parsed("changed")?,
        state: fields.parsed("state")?,
        attempt: fields.parsed("attempt")?,
        worker: some(fields.text("worker")?),
        reason: some(fields.text("reason")?),
    })
}

/// The id of a ticket that lacks a field.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct DamagedTicket(pub(super) String);

/// Reads a ticket from the list that a script returns.
pub(super) fn ticket(item: &Value) -> Result<Ticket, DamagedTicket> {
    let Value::Array(item) = item else {
        return Err(DamagedTicket::default());
    };
    let [id, job, upstream, at, _seq] = &item[..] else {
        return Err(DamagedTicket::default());
    };
    let name = text(id).unwrap_or_default();
    let parsed = || {
        Some(Ticket {
            id: name.parse::<TicketId>().ok()?,
            job: text(job)?.parse().ok()?,
            upstream: text(upstream)?.to_owned(),
            taken_at_ms: text(at)?.parse().ok()?,
        })
    };
    parsed().ok_or_else(|| DamagedTicket(name.to_owned()))
}

pub(super) fn text(value: &Value) -> Option<&str> {
    match value {
        Value::BulkString(bytes) => std::str::from_utf8(bytes).ok(),
        Value::SimpleString(text) => Some(text),
        _ => None,
    }
}

struct HashFields<'a>(HashMap<&'a str, &'a str>);

impl<'a> HashFields<'a> {
    fn of(flat: &'a [Value]) -> Result<Self, Damage> {
        let mut fields = HashMap::new();
        for pair in flat.chunks_exact(2) {
            let name = text(&pair[0]).ok_or_else(|| Damage::of("a field's name is no text"))?;
            let value = text(&pair[1]).ok_or_else(|| Damage(format!("its {name} is no text")))?;
            fields.insert(name, value);
        }
        Ok(Self(fields))
    }

    fn text(&self, name: &str) -> Result<&'a str, Damage> {
        let text = self.0.get(name).copied();
        text.ok_or_else(|| Damage(format!("it has no {name}")))
    }

    fn parsed<T: FromStr>(&self, name: &str) -> Result<T, Damage> {
        let text = self.text(name)?;
        let no = |_| Damage(format!("its {name} is \"{}\"", cut(text, 80)));
        text.parse().map_err(no)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance;

    fn flat(fields: &[(&str, String)]) -> Vec<Value> {
        let texts = fields.iter().flat_map(|(name, value)| [name, &value[..]]);
        texts.map(|text| Value::BulkString(text.into())).collect()
    }

    #[test]
    fn records_come_back_and_what_is_missing_or_wrong_is_named() {
        let mut wanted = conformance::record(1);
        wanted.rollup_id = Some(7);
        wanted.reason = Some("why".into());
        let whole = fields(&wanted);
        assert_eq!(record(wanted.id, &flat(&whole)).unwrap(), wanted);
        for at in 0..whole.len() {
            let mut less = whole.clone();
            let (name, _) = less.remove(at);
            let why = record(wanted.id, &flat(&less)).unwrap_err();
            assert_eq!(why.to_string(), format!("it has no {name}"));
        }
        for (at, value, why) in [
            (0, "asleep", "its state is \"asleep\""),
            (1, "-1", "its command is \"-1\""),
        ] {
            let mut odd = whole.clone();
            odd[at].1 = value.into();
            let error = record(wanted.id, &flat(&odd)).unwrap_err();
            assert_eq!(error.to_string(), why);
        }
    }
}
