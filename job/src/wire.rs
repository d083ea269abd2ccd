//! Bounds-checked reading and writing of Falafel's layouts. All integers are
//! big-endian.

use std::fmt;

use bytes::{BufMut, Bytes, BytesMut};

use crate::Word;

/// What is wrong with a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// The buffer ends inside the field.
    Truncated {
        /// Bytes that the field needs.
        needs: usize,
        /// Bytes that are left.
        left: usize,
    },
    /// The buffer goes on after the last field.
    Trailing {
        /// Bytes that are left over.
        extra: usize,
    },
    /// A 32-byte word that should be a field element is not below the modulus.
    NotCanonical,
    /// A number that must have another value.
    Value {
        /// What stands there.
        got: u64,
        /// What must stand there, in words.
        must: String,
    },
}

/// A buffer that breaks a layout: which field, where, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayoutError {
    /// The field's name, with its place in lists: `tx 3: nullifier path depth`.
    pub field: String,
    /// The byte at which the field starts.
    pub at: usize,
    /// What is wrong with it.
    pub problem: Problem,
}

impl fmt::Display for LayoutError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let field = &self.field;
        match &self.problem {
            Problem::Truncated { needs, left } => {
                write!(f, "{field} needs {needs} bytes but {left} are left")?;
            }
            Problem::Trailing { extra } => write!(f, "{extra} bytes follow the {field}")?,
            Problem::NotCanonical => write!(f, "{field} is not below the field modulus")?,
            Problem::Value { got, must } => write!(f, "{field} is {got}, must be {must}")?,
        }
        write!(f, " (byte {})", self.at)
    }
}

impl std::error::Error for LayoutError {}

/// A cursor over a buffer. Names are given as `format_args!` so that they are
/// only built when something is wrong.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    buffer: &'a Bytes,
    at: usize,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(buffer: &'a Bytes) -> Self {
        Self { buffer, at: 0 }
    }

    pub(crate) fn at(&self) -> usize {
        self.at
    }

    /// What was read since `start`, as a slice of the buffer that is shared
    /// with it.
    pub(crate) fn since(&self, start: usize) -> Bytes {
        self.buffer.slice(start..self.at)
    }

    /// The next `bytes`, as a slice of the buffer that is shared with it.
    pub(crate) fn take(
        &mut self,
        bytes: usize,
        name: fmt::Arguments<'_>,
    ) -> Result<Bytes, LayoutError> {
        let start = self.at;
        self.skip(bytes, name)?;
        Ok(self.buffer.slice(start..self.at))
    }

    /// The next `bytes`, borrowed: a large request has 36,000 words, and a
    /// shared slice of each would cost more than reading it.
    fn skip(&mut self, bytes: usize, name: fmt::Arguments<'_>) -> Result<&'a [u8], LayoutError> {
        let left = self.buffer.len() - self.at;
        if bytes > left {
            return Err(LayoutError {
                field: name.to_string(),
                at: self.at,
                problem: Problem::Truncated { needs: bytes, left },
            });
        }
        let start = self.at;
        self.at += bytes;
        Ok(&self.buffer[start..self.at])
    }

    pub(crate) fn u8(&mut self, name: fmt::Arguments<'_>) -> Result<u8, LayoutError> {
        Ok(self.skip(1, name)?[0])
    }

    pub(crate) fn u32(&mut self, name: fmt::Arguments<'_>) -> Result<u32, LayoutError> {
        let bytes = self.skip(4, name)?;
        Ok(u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
    }

    /// A word that may hold any 256-bit integer.
    pub(crate) fn word(&mut self, name: fmt::Arguments<'_>) -> Result<Word, LayoutError> {
        let bytes = self.skip(32, name)?;
        Ok(Word(bytes.try_into().expect("32 bytes were taken")))
    }

    /// A word that must be the one encoding of a field element. The original
    /// reduces silently; two encodings of one request would be two jobs.
    pub(crate) fn field(&mut self, name: fmt::Arguments<'_>) -> Result<Word, LayoutError> {
        let at = self.at;
        let word = self.word(name)?;
        if word.is_canonical() {
            return Ok(word);
        }
        Err(LayoutError {
            field: name.to_string(),
            at,
            problem: Problem::NotCanonical,
        })
    }

    /// The next `words` when all are there and field elements. `None`: one of
    /// them is not, which reading them one by one tells; nothing was read.
    pub(crate) fn fields(&mut self, words: usize) -> Option<Bytes> {
        let end = self.at.checked_add(words.checked_mul(32)?)?;
        let bytes = self.buffer.get(self.at..end)?;
        let (words, _) = bytes.as_chunks();
        if !words.iter().all(|word| Word(*word).is_canonical()) {
            return None;
        }
        let start = std::mem::replace(&mut self.at, end);
        Some(self.buffer.slice(start..end))
    }

    /// A `u32` that must satisfy a condition.
    pub(crate) fn u32_where(
        &mut self,
        name: fmt::Arguments<'_>,
        must: fmt::Arguments<'_>,
        holds: impl FnOnce(u32) -> bool,
    ) -> Result<u32, LayoutError> {
        let at = self.at;
        let got = self.u32(name)?;
        if holds(got) {
            return Ok(got);
        }
        Err(value(at, name, u64::from(got), must))
    }

    /// The reader is at the end of the buffer.
    pub(crate) fn end(&self, what: fmt::Arguments<'_>) -> Result<(), LayoutError> {
        let extra = self.buffer.len() - self.at;
        if extra == 0 {
            return Ok(());
        }
        Err(LayoutError {
            field: what.to_string(),
            at: self.at,
            problem: Problem::Trailing { extra },
        })
    }
}

pub(crate) fn value(
    at: usize,
    name: fmt::Arguments<'_>,
    got: u64,
    must: fmt::Arguments<'_>,
) -> LayoutError {
    LayoutError {
        field: name.to_string(),
        at,
        problem: Problem::Value {
            got,
            must: must.to_string(),
        },
    }
}

/// Writes what [`Reader`] reads.
#[derive(Debug, Default)]
pub(crate) struct Writer(BytesMut);

impl Writer {
    pub(crate) fn with_capacity(bytes: usize) -> Self {
        Self(BytesMut::with_capacity(bytes))
    }

    pub(crate) fn u8(&mut self, value: u8) {
        self.0.put_u8(value);
    }

    pub(crate) fn u32(&mut self, value: u32) {
        self.0.put_u32(value);
    }

    pub(crate) fn word(&mut self, word: &Word) {
        self.0.put_slice(&word.0);
    }

    pub(crate) fn words(&mut self, words: &[Word]) {
        for word in words {
            self.word(word);
        }
    }

    pub(crate) fn raw(&mut self, bytes: &[u8]) {
        self.0.put_slice(bytes);
    }

    /// A count as `u32`. Lists here are bounded far below 2^32.
    pub(crate) fn count(&mut self, count: usize) {
        self.u32(u32::try_from(count).expect("lists are bounded by the limits"));
    }

    pub(crate) fn finish(self) -> Bytes {
        self.0.freeze()
    }
}
