//! The header of a key file, and the checks of the file's layout.

use std::{cmp::Ordering, path::Path};

use serde::{Deserialize, Serialize};

use crate::{CircuitIdentity, KeyError, Provenance, identity::FORMAT};

pub(super) const MAGIC: &[u8; 8] = b"zkWhirlK";
pub(super) const PREFIX_BYTES: usize = 48;
/// Sections start on pages, so that mapped values are aligned.
pub(super) const PAGE: u64 = 4096;
/// The offset of the first section: the header has the bytes before it.
pub(super) const FIRST_SECTION: u64 = 16 * PAGE;
/// The length limit of a header in bytes. A usual header has 2 kB.
pub(super) const HEADER_LIMIT: usize = FIRST_SECTION as usize - PREFIX_BYTES;

/// The name of the one section that every key has.
pub(super) const VK: &str = "vk";

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct KeyHeader {
    pub(super) circuit: CircuitIdentity,
    pub(super) provenance: Provenance,
    /// The release that made the key.
    pub(super) made_by: String,
    pub(super) sections: Vec<Section>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Section {
    pub(super) name: String,
    pub(super) offset: u64,
    pub(super) bytes: u64,
    pub(super) blake3: String,
}

impl KeyHeader {
    pub(super) fn read(path: &Path, file: &[u8]) -> Result<Self, KeyError> {
        let damaged = |problem: String| KeyError::damaged(path, problem);
        let prefix = file
            .first_chunk::<PREFIX_BYTES>()
            .ok_or_else(|| damaged(format!("it is cut off: it has only {} bytes", file.len())))?;
        if &prefix[..8] != MAGIC {
            return Err(damaged("it does not start with \"zkWhirlK\"".to_owned()));
        }
        let format = u32_at(prefix, 8);
        if format != FORMAT {
            return Err(KeyError::Foreign(format!(
                "key {} has format {format}, this release reads {FORMAT}; \
                 remove the file and the key is made again",
                path.display()
            )));
        }
        let length = length(prefix);
        if length > HEADER_LIMIT {
            let problem = format!("its header was changed: it claims {length} bytes");
            return Err(damaged(problem));
        }
        let header = file
            .get(PREFIX_BYTES..PREFIX_BYTES + length)
            .ok_or_else(|| damaged("it is cut off inside its header".to_owned()))?;
        if blake3::hash(header).as_bytes() != &prefix[16..] {
            return Err(damaged("its header was changed".to_owned()));
        }
        serde_json::from_slice(header)
            .map_err(|error| damaged(format!("its header cannot be read: {error}")))
    }

    /// The offset of the header's end in `file`, from which the header was read.
    pub(super) fn end(file: &[u8]) -> usize {
        let prefix = file.first_chunk::<PREFIX_BYTES>();
        prefix.map_or(0, |prefix| PREFIX_BYTES + length(prefix))
    }

    /// Checks that the sections are in order, begin at their pages, and fill the
    /// file of `file_bytes` bytes.
    pub(super) fn check_layout(&self, path: &Path, file_bytes: u64) -> Result<(), KeyError> {
        let damaged = |problem: String| Err(KeyError::damaged(path, problem));
        let mut end = FIRST_SECTION;
        for Section {
            name,
            offset,
            bytes,
            ..
        } in &self.sections
        {
            if *offset != end {
                return damaged(format!(
                    "its section {name} is at {offset}, {end} is expected"
                ));
            }
            let next = offset
                .checked_add(*bytes)
                .and_then(|end| end.checked_next_multiple_of(PAGE));
            let Some(next) = next else {
                return damaged(format!("its section {name} claims {bytes} bytes"));
            };
            end = next;
        }
        let how = match file_bytes.cmp(&end) {
            Ordering::Less => "it is cut off",
            Ordering::Greater => "it is too long",
            Ordering::Equal => return Ok(()),
        };
        damaged(format!(
            "{how}: it has {file_bytes} bytes, its header says {end}"
        ))
    }
}

/// The header's length in bytes, which the prefix of the file states.
fn length(prefix: &[u8; PREFIX_BYTES]) -> usize {
    u32_at(prefix, 12) as usize
}

fn u32_at(prefix: &[u8; PREFIX_BYTES], at: usize) -> u32 {
    u32::from_le_bytes([prefix[at], prefix[at + 1], prefix[at + 2], prefix[at + 3]])
}
