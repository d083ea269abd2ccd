//! iden3's binary files: a name of four bytes, a version, numbered sections.

use std::{
    collections::BTreeMap,
    fs::File,
    io,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

use ark_bn254::{Fq, Fr};
use ark_ec::short_weierstrass::{Affine, SWCurveConfig};
use ark_ff::{BigInt, BigInteger, Field, PrimeField};

use super::CeremonyError;
use crate::native::keys::{PointError, point_bytes, read_points};

/// The limit of sections in a file. The formats have up to 15.
const MOST_SECTIONS: u32 = 64;

/// An open file and the places of its sections.
#[derive(Debug)]
pub(super) struct Iden3File {
    file: File,
    path: PathBuf,
    /// Offset and length of each section in bytes, by the section's number.
    places: BTreeMap<u32, (u64, u64)>,
}

impl Iden3File {
    /// Opens a file of the format `name` and finds its sections.
    pub(super) fn open(path: &Path, name: &str) -> Result<Self, CeremonyError> {
        let failed = |source| CeremonyError::Io {
            path: path.to_owned(),
            source,
        };
        let file = File::open(path).map_err(failed)?;
        let length = file.metadata().map_err(failed)?.len();
        let mut sections = Self {
            file,
            path: path.to_owned(),
            places: BTreeMap::new(),
        };
        let head = sections.bytes_at(0, 12, length)?;
        if &head[..4] != name.as_bytes() {
            return Err(sections.refused(format!("is no .{name} file")));
        }
        let count = u32_at(&head, 8);
        if count > MOST_SECTIONS {
            return Err(sections.refused(format!("claims {count} sections")));
        }
        let mut at = 12;
        for _ in 0..count {
            let head = sections.bytes_at(at, 12, length)?;
            let (number, bytes) = (u32_at(&head, 0), u64_at(&head, 4));
            at += 12;
            let end = at.checked_add(bytes).filter(|end| *end <= length);
            let end = end.ok_or_else(|| sections.refused("is cut off"))?;
            if sections.places.insert(number, (at, bytes)).is_some() {
                return Err(sections.refused(format!("has section {number} twice")));
            }
            at = end;
        }
        Ok(sections)
    }

    /// The length of a section in bytes.
    pub(super) fn length(&self, section: u32) -> Result<u64, CeremonyError> {
        Ok(self.place(section)?.1)
    }

    /// Reads `bytes` bytes of a section, from the offset `at` in the section.
    pub(super) fn part(&self, section: u32, at: u64, bytes: u64) -> Result<Vec<u8>, CeremonyError> {
        let (offset, length) = self.place(section)?;
        let inside = at.checked_add(bytes).is_some_and(|end| end <= length);
        if !inside {
            let must = at.saturating_add(bytes);
            return Err(self.refused(format!(
                "has {length} bytes in section {section}, {must} are needed"
            )));
        }
        self.bytes_at(offset + at, bytes, u64::MAX)
    }

    /// Reads a section whose length must be `bytes`.
    pub(super) fn whole(&self, section: u32, bytes: u64) -> Result<Vec<u8>, CeremonyError> {
        let length = self.length(section)?;
        if length != bytes {
            return Err(self.refused(format!(
                "has {length} bytes in section {section}, {bytes} are expected"
            )));
        }
        self.part(section, 0, bytes)
    }

    /// Reads points of a section, from the one at place `first`.
    pub(super) fn points<C>(
        &self,
        section: u32,
        first: u64,
        count: u64,
    ) -> Result<Vec<Affine<C>>, CeremonyError>
    where
        C: SWCurveConfig<BaseField: Field<BasePrimeField = Fq>>,
    {
        let each = point_bytes::<C>() as u64;
        let bytes = self.part(section, first * each, count * each)?;
        read_points(&bytes).map_err(|problem| self.in_section(section, &problem))
    }

    pub(super) fn in_section(&self, section: u32, problem: &PointError) -> CeremonyError {
        self.refused(format!("{problem} of section {section}"))
    }

    pub(super) fn refused(&self, problem: impl Into<String>) -> CeremonyError {
        CeremonyError::refused(&self.path, problem)
    }

    fn place(&self, section: u32) -> Result<(u64, u64), CeremonyError> {
        let place = self.places.get(&section).copied();
        place.ok_or_else(|| self.refused(format!("has no section {section}")))
    }

    fn bytes_at(&self, at: u64, bytes: u64, length: u64) -> Result<Vec<u8>, CeremonyError> {
        let cut_off = || self.refused("is cut off");
        if at.saturating_add(bytes) > length {
            return Err(cut_off());
        }
        let mut out = vec![0; usize::try_from(bytes).map_err(|_| cut_off())?];
        match self.file.read_exact_at(&mut out, at) {
            Ok(()) => Ok(out),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(cut_off()),
            Err(source) => Err(CeremonyError::Io {
                path: self.path.clone(),
                source,
            }),
        }
    }
}

/// Reads the number at offset `at`. Panics if `bytes` is too short.
pub(super) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from(u32_at(bytes, at)) | u64::from(u32_at(bytes, at + 4)) << 32
}

/// The four limbs of 32 little-endian bytes.
pub(super) fn limbs(bytes: &[u8]) -> BigInt<4> {
    let (limbs, _) = bytes.as_chunks::<8>();
    let mut number = BigInt::zero();
    for (limb, bytes) in number.0.iter_mut().zip(limbs) {
        *limb = u64::from_le_bytes(*bytes);
    }
    number
}

/// A field's modulus as the files state it: the length, then the bytes.
pub(super) fn modulus<F: PrimeField<BigInt = BigInt<4>>>() -> Vec<u8> {
    let length = 32u32.to_le_bytes();
    [&length[..], &F::MODULUS.to_bytes_le()].concat()
}

/// Appends a scalar as the files hold scalars: not in Montgomery form.
pub(super) fn write_fr(value: &Fr, out: &mut Vec<u8>) {
    for limb in value.into_bigint().0 {
        out.extend(limb.to_le_bytes());
    }
}
