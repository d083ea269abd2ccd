//! Writing a key file.

use std::{
    fmt::Display,
    fs::File,
    io::{self, BufWriter, Seek, SeekFrom, Write},
};

use super::header::{FIRST_SECTION, HEADER_LIMIT, KeyHeader, MAGIC, PAGE, Section};
use crate::{Advance, CircuitIdentity, KeyError, Provenance, identity::FORMAT};

/// Writes the file of a key. The store gives the file its name when it is
/// complete.
#[derive(Debug)]
pub struct KeyWriter {
    out: BufWriter<File>,
    header: KeyHeader,
    at: u64,
    advance: Advance,
}

impl KeyWriter {
    /// Begins a key in `file`, which must be empty.
    pub(crate) fn new(
        file: File,
        circuit: CircuitIdentity,
        provenance: Provenance,
        advance: Advance,
    ) -> io::Result<Self> {
        let mut out = BufWriter::with_capacity(1 << 20, file);
        out.seek(SeekFrom::Start(FIRST_SECTION))?;
        Ok(Self {
            out,
            header: KeyHeader {
                circuit,
                provenance,
                made_by: concat!("zkwhirl ", env!("CARGO_PKG_VERSION")).to_owned(),
                sections: Vec::new(),
            },
            at: FIRST_SECTION,
            advance,
        })
    }

    /// The handle for reporting the progress of the generation.
    pub fn advance(&self) -> Advance {
        self.advance.clone()
    }

    /// The error for a generator that cannot make this key, with its `reason`.
    pub fn failed(&self, reason: impl Display) -> KeyError {
        let circuit = &self.header.circuit.name;
        KeyError::Refused(format!("cannot generate the key for {circuit}: {reason}"))
    }

    /// Appends a section. Every key must have a section `vk`. It is an error if
    /// another process has taken over the generation.
    pub fn section(&mut self, name: &str, bytes: &[u8]) -> Result<(), KeyError> {
        let appended = self.append(name, bytes);
        appended.map_err(|error| self.failed(error))
    }

    fn append(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        if self.advance.is_overtaken() {
            return Err(io::Error::other("another process is making this key now"));
        }
        let mut hash = blake3::Hasher::new();
        hash.update_rayon(bytes);
        self.out.write_all(bytes)?;
        self.header.sections.push(Section {
            name: name.to_owned(),
            offset: self.at,
            bytes: bytes.len() as u64,
            blake3: hash.finalize().to_hex().to_string(),
        });
        let end = self.at + bytes.len() as u64;
        self.at = end.next_multiple_of(PAGE);
        let padding = usize::try_from(self.at - end).expect("less than a page");
        self.out.write_all(&[0; PAGE as usize][..padding])
    }

    /// Writes the header and flushes the file to the disk.
    pub(crate) fn finish(mut self) -> io::Result<()> {
        let header = serde_json::to_vec(&self.header)?;
        if header.len() > HEADER_LIMIT {
            return Err(io::Error::other("the key's header is too long"));
        }
        self.out.seek(SeekFrom::Start(0))?;
        self.out.write_all(MAGIC)?;
        self.out.write_all(&FORMAT.to_le_bytes())?;
        let length = u32::try_from(header.len()).map_err(io::Error::other)?;
        self.out.write_all(&length.to_le_bytes())?;
        self.out.write_all(blake3::hash(&header).as_bytes())?;
        self.out.write_all(&header)?;
        self.out
            .into_inner()
            .map_err(|e| e.into_error())?
            .sync_all()
    }
}
