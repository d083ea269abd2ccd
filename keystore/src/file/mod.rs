//! The key file: header, then page-aligned sections.
//!
//! ```text
//! 0     "zkWhirlK" ‖ format u32 LE ‖ header length u32 LE ‖ BLAKE3 of header (32)
//! 48    header: JSON
//! 64 k  sections, each starting on a page of 4,096 bytes
//! ```
//! The bytes between the sections are zero, and the file ends with the page of
//! the last section: the header determines every bit of the file.

mod header;
mod mapped;
mod writer;

use std::{
    fs::File,
    path::{Path, PathBuf},
};

use serde::Serialize;

use crate::{CircuitIdentity, KeyError, KeyId, Provenance};
use header::{FIRST_SECTION, KeyHeader, PAGE, Section, VK};

pub use mapped::MappedBytes;
pub use writer::KeyWriter;

/// One section, for listings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SectionSummary {
    /// The section's name.
    pub name: String,
    /// The section's length in bytes.
    pub bytes: u64,
}

/// A key file that was opened, mapped and checked.
#[derive(Debug)]
pub struct KeyFile {
    path: PathBuf,
    header: KeyHeader,
    id: KeyId,
    vk: MappedBytes,
    map: MappedBytes,
}

impl KeyFile {
    /// Opens a key and checks every byte of it against its header, and its
    /// header against `circuit`.
    pub fn open(path: &Path, circuit: &CircuitIdentity) -> Result<Self, KeyError> {
        let key = Self::inspect(path)?;
        circuit.check(path, key.circuit())?;
        Ok(key)
    }

    /// Opens a key of any circuit and checks every byte of it.
    pub fn inspect(path: &Path) -> Result<Self, KeyError> {
        let damaged = |problem: String| KeyError::damaged(path, problem);
        let file = File::open(path).map_err(KeyError::io("open key", path))?;
        let map = MappedBytes::of(file).map_err(KeyError::io("map key", path))?;
        let header = KeyHeader::read(path, &map)?;
        header.check_layout(path, map.len() as u64)?;
        check_bytes(path, &map, &header)?;
        let vk = part(&map, &header, VK)
            .ok_or_else(|| damaged("it has no verification key".to_owned()))?;
        let id = KeyId::of(&header.circuit, &header.provenance, &vk);
        Ok(Self {
            path: path.to_owned(),
            header,
            id,
            vk,
            map,
        })
    }

    /// The key's identity.
    pub fn id(&self) -> KeyId {
        self.id
    }

    /// The circuit that the key is for.
    pub fn circuit(&self) -> &CircuitIdentity {
        &self.header.circuit
    }

    /// Where the setup's secret numbers came from.
    pub fn provenance(&self) -> &Provenance {
        &self.header.provenance
    }

    /// The path of the file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The file's length in bytes.
    pub fn bytes(&self) -> u64 {
        self.map.len() as u64
    }

    /// BLAKE3 of the whole file, hexadecimal: the key's name in a shared directory.
    pub(crate) fn digest(&self) -> String {
        digest(&self.map, self.map.len()).to_hex().to_string()
    }

    /// The file's bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.map
    }

    /// The same key after its file was renamed.
    pub(crate) fn moved_to(mut self, path: PathBuf) -> Self {
        self.path = path;
        self
    }

    /// The sections, in file order.
    pub fn sections(&self) -> Vec<SectionSummary> {
        self.header
            .sections
            .iter()
            .map(|section| SectionSummary {
                name: section.name.clone(),
                bytes: section.bytes,
            })
            .collect()
    }

    /// A section in mapped memory, aligned to a page. It is an error if the key
    /// has no such section.
    pub fn section(&self, name: &str) -> Result<MappedBytes, KeyError> {
        part(&self.map, &self.header, name)
            .ok_or_else(|| KeyError::damaged(&self.path, format!("it has no section {name}")))
    }

    /// BLAKE3 of the verification key, hexadecimal, which proofs carry.
    pub fn vk_digest(&self) -> String {
        crate::vk_digest(&self.vk)
    }

    /// The verification key's bytes.
    pub fn vk(&self) -> &[u8] {
        &self.vk
    }
}

/// Checks the sections against their digests, and that the bytes between them are
/// zero. [`KeyHeader::check_layout`] must have accepted the sections' places
/// before.
fn check_bytes(path: &Path, map: &MappedBytes, header: &KeyHeader) -> Result<(), KeyError> {
    let damaged = |problem: String| KeyError::damaged(path, problem);
    let mut end = KeyHeader::end(map);
    let mut next = FIRST_SECTION as usize;
    let between = |end, next| match map.get(end..next) {
        Some(zeros) if is_zero(zeros) => Ok(()),
        _ => Err(damaged(format!(
            "it was changed between byte {end} and byte {next}"
        ))),
    };
    for section in &header.sections {
        between(end, next)?;
        let Section { name, blake3, .. } = section;
        let bytes =
            slice(map, section).ok_or_else(|| damaged(format!("it ends inside section {name}")))?;
        let got = digest(&bytes, map.len()).to_hex();
        if got.as_str() != blake3 {
            return Err(damaged(format!(
                "its section {name} was changed: its BLAKE3 is {got}, the header says {blake3}"
            )));
        }
        end = next + bytes.len();
        next = end.next_multiple_of(PAGE as usize);
    }
    between(end, next)
}

fn is_zero(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| *byte == 0)
}

/// BLAKE3, on all cores for long files. One core hashes several gigabytes per
/// second. Below `MUCH` bytes, the wait for other threads on a busy machine takes
/// longer than the time that they save.
fn digest(bytes: &[u8], whole: usize) -> blake3::Hash {
    const MUCH: usize = 256 << 20;
    let mut hash = blake3::Hasher::new();
    if whole < MUCH {
        hash.update(bytes);
    } else {
        hash.update_rayon(bytes);
    }
    hash.finalize()
}

fn part(map: &MappedBytes, header: &KeyHeader, name: &str) -> Option<MappedBytes> {
    let mut sections = header.sections.iter();
    slice(map, sections.find(|section| section.name == name)?)
}

fn slice(map: &MappedBytes, section: &Section) -> Option<MappedBytes> {
    let start = usize::try_from(section.offset).ok()?;
    let end = start.checked_add(usize::try_from(section.bytes).ok()?)?;
    map.part(start..end)
}
