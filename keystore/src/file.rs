//! The key file: header, then page-aligned sections.
//!
//! ```text
//! 0     "zkWhirlK" ‖ format u32 LE ‖ header length u32 LE ‖ BLAKE3 of header (32)
//! 48    header: JSON
//! 4096k sections, each starting on a page
//! ```
//! A page is 4,096 bytes, so that a section can be mapped on its own.

use std::{
    fs::File,
    io::{self, BufWriter, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use memmap2::Mmap;
use serde::{Deserialize, Serialize};

use crate::{Advance, CircuitIdentity, KeyError, KeyId, Provenance, identity::FORMAT};

const MAGIC: &[u8; 8] = b"zkWhirlK";
const PREFIX_BYTES: usize = 48;
const PAGE: u64 = 4096;
/// The header of a key has a dozen sections; more than this is no header.
const HEADER_LIMIT: usize = 64 << 10;
/// Room for the header before the sections.
const FIRST_SECTION: u64 = 16 * PAGE;

/// The section that every key has: the verification key.
const VK: &str = "vk";

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Header {
    circuit: CircuitIdentity,
    provenance: Provenance,
    /// The release that made the key.
    made_by: String,
    sections: Vec<Section>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Section {
    name: String,
    offset: u64,
    bytes: u64,
    blake3: String,
}

/// One section, for listings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SectionSummary {
    /// The section's name.
    pub name: String,
    /// Its length in bytes.
    pub bytes: u64,
}

/// A key that was opened, mapped and checked.
#[derive(Debug)]
pub struct KeyFile {
    path: PathBuf,
    header: Header,
    id: KeyId,
    map: Mmap,
}

impl KeyFile {
    /// Opens a key and checks every byte of it against its header, and its
    /// header against `circuit`.
    pub fn open(path: &Path, circuit: &CircuitIdentity) -> Result<Self, KeyError> {
        let key = Self::inspect(path)?;
        if let Some((field, expected, got)) = circuit.difference(key.circuit()) {
            return Err(KeyError::OtherCircuit {
                path: path.to_owned(),
                field,
                got,
                expected,
                circuit: circuit.name.clone(),
            });
        }
        Ok(key)
    }

    /// Opens a key of any circuit and checks every byte of it.
    pub fn inspect(path: &Path) -> Result<Self, KeyError> {
        let damaged = |problem: String| KeyError::Damaged {
            path: path.to_owned(),
            problem,
        };
        let file = File::open(path).map_err(|source| KeyError::Io {
            action: "open key",
            path: path.to_owned(),
            source,
        })?;
        let map = map(&file).map_err(|source| KeyError::Io {
            action: "map key",
            path: path.to_owned(),
            source,
        })?;
        let header = read_header(&map).map_err(damaged)?;
        for section in &header.sections {
            let bytes = slice(&map, section).ok_or_else(|| {
                damaged(format!(
                    "section {} of {} bytes at {} lies outside the file of {} bytes",
                    section.name,
                    section.bytes,
                    section.offset,
                    map.len()
                ))
            })?;
            let digest = blake3::Hasher::new().update_rayon(bytes).finalize();
            if digest.to_hex().as_str() != section.blake3 {
                return Err(damaged(format!(
                    "section {} has BLAKE3 {}, its header says {}",
                    section.name,
                    digest.to_hex(),
                    section.blake3
                )));
            }
        }
        let vk = header
            .sections
            .iter()
            .find(|section| section.name == VK)
            .and_then(|section| slice(&map, section))
            .ok_or_else(|| damaged("it has no verification key".to_owned()))?;
        let id = KeyId::of(&header.circuit, &header.provenance, vk);
        Ok(Self {
            path: path.to_owned(),
            header,
            id,
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

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The file's length in bytes.
    pub fn bytes(&self) -> u64 {
        self.map.len() as u64
    }

    /// BLAKE3 of the whole file, hexadecimal: what it is shared by.
    pub(crate) fn digest(&self) -> String {
        let mut hash = blake3::Hasher::new();
        hash.update_rayon(&self.map);
        hash.finalize().to_hex().to_string()
    }

    /// The file's bytes.
    pub(crate) fn as_bytes(&self) -> &[u8] {
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

    /// The bytes of a section; an error when the key has none of this name.
    pub fn section(&self, name: &str) -> Result<&[u8], KeyError> {
        self.header
            .sections
            .iter()
            .find(|section| section.name == name)
            .and_then(|section| slice(&self.map, section))
            .ok_or_else(|| KeyError::Damaged {
                path: self.path.clone(),
                problem: format!("it has no section {name}"),
            })
    }

    /// The verification key's bytes.
    pub fn vk(&self) -> Result<&[u8], KeyError> {
        self.section(VK)
    }
}

#[expect(
    unsafe_code,
    reason = "mapping is sound while nobody truncates or writes the file: keys are written \
              under another name, renamed once complete, and never opened for writing again"
)]
fn map(file: &File) -> io::Result<Mmap> {
    // SAFETY: see the reason above; the map is read-only.
    unsafe { Mmap::map(file) }
}

fn slice<'a>(map: &'a [u8], section: &Section) -> Option<&'a [u8]> {
    let start = usize::try_from(section.offset).ok()?;
    let end = start.checked_add(usize::try_from(section.bytes).ok()?)?;
    map.get(start..end)
}

fn read_header(map: &[u8]) -> Result<Header, String> {
    let prefix = map
        .first_chunk::<PREFIX_BYTES>()
        .ok_or_else(|| format!("it has only {} bytes", map.len()))?;
    if &prefix[..8] != MAGIC {
        return Err("it does not start with \"zkWhirlK\"".to_owned());
    }
    let u32_at = |at: usize| {
        u32::from_le_bytes([prefix[at], prefix[at + 1], prefix[at + 2], prefix[at + 3]])
    };
    let format = u32_at(8);
    if format != FORMAT {
        return Err(format!(
            "it has format {format}, this release reads {FORMAT}"
        ));
    }
    let length = u32_at(12) as usize;
    if length > HEADER_LIMIT {
        return Err(format!("its header claims {length} bytes"));
    }
    let header = map
        .get(PREFIX_BYTES..PREFIX_BYTES + length)
        .ok_or_else(|| "it ends inside its header".to_owned())?;
    if blake3::hash(header).as_bytes() != &prefix[16..] {
        return Err("its header was changed".to_owned());
    }
    serde_json::from_slice(header).map_err(|e| format!("its header cannot be read: {e}"))
}

/// Writes a key next to its final place and moves it there when it is complete.
#[derive(Debug)]
pub struct KeyWriter {
    out: BufWriter<File>,
    header: Header,
    at: u64,
    advance: Advance,
}

impl KeyWriter {
    /// Starts a key in `file`, which must be empty.
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
            header: Header {
                circuit,
                provenance,
                made_by: concat!("zkwhirl ", env!("CARGO_PKG_VERSION")).to_owned(),
                sections: Vec::new(),
            },
            at: FIRST_SECTION,
            advance,
        })
    }

    /// Where to say how far the generation is.
    pub fn advance(&self) -> Advance {
        self.advance.clone()
    }

    /// Appends a section. The key must have one named `vk`. An error when
    /// another process makes the key by now.
    pub fn section(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        if self.advance.is_overtaken() {
            return Err(io::Error::other("another process makes this key by now"));
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

    /// Writes the header and brings everything to the disk.
    pub(crate) fn finish(mut self) -> io::Result<()> {
        let header = serde_json::to_vec(&self.header)?;
        if header.len() > HEADER_LIMIT.min(FIRST_SECTION as usize - PREFIX_BYTES) {
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
