//! Bounds-checked reading and writing of Falafel's layouts. All integers are
//! big-endian.

use std::fmt::Arguments;

use bytes::{BufMut, Bytes, BytesMut};

use crate::Word;

/// The error of a buffer that breaks a layout. The text names the field (with its place
/// in lists, such as `tx 3: nullifier path depth`), its first byte and what is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text} (byte {at})")]
pub struct LayoutError {
    text: String,
    at: usize,
}

impl LayoutError {
    /// Makes the error of a number at byte `at` that must have another value.
    pub(crate) fn value(at: usize, name: Arguments<'_>, got: u64, must: Arguments<'_>) -> Self {
        let text = format!("{name} is {got}, must be {must}");
        Self { text, at }
    }
}

/// A cursor over a buffer. Names are passed as `format_args!`, so that only an error
/// builds them.
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

    /// Returns the bytes read since `start`, as a slice that shares the buffer.
    pub(crate) fn since(&self, start: usize) -> Bytes {
        self.buffer.slice(start..self.at)
    }

    /// Reads the next `bytes` bytes, as a slice that shares the buffer.
    pub(crate) fn take(&mut self, bytes: usize, name: Arguments<'_>) -> Result<Bytes, LayoutError> {
        let start = self.at;
        self.skip(bytes, name)?;
        Ok(self.since(start))
    }

    /// Reads the next `bytes` bytes, borrowed: a large request has 36,000 words, and a
    /// shared slice of each would cost more than reading the word.
    fn skip(&mut self, bytes: usize, name: Arguments<'_>) -> Result<&'a [u8], LayoutError> {
        let rest = &self.buffer[self.at..];
        let Some(taken) = rest.get(..bytes) else {
            let (at, left) = (self.at, rest.len());
            let text = format!("{name} needs {bytes} bytes but {left} are left");
            return Err(LayoutError { text, at });
        };
        self.at += bytes;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self, name: Arguments<'_>) -> Result<[u8; N], LayoutError> {
        let bytes = self.skip(N, name)?;
        Ok(bytes.try_into().expect("so many bytes were taken"))
    }

    pub(crate) fn u8(&mut self, name: Arguments<'_>) -> Result<u8, LayoutError> {
        self.array(name).map(u8::from_be_bytes)
    }

    pub(crate) fn u32(&mut self, name: Arguments<'_>) -> Result<u32, LayoutError> {
        self.array(name).map(u32::from_be_bytes)
    }

    /// Reads a word that may be any 256-bit integer.
    pub(crate) fn word(&mut self, name: Arguments<'_>) -> Result<Word, LayoutError> {
        self.array(name).map(Word)
    }

    /// Reads a word that must be the canonical encoding of a field element. The
    /// original reduces silently; two encodings of one request would be two jobs.
    pub(crate) fn field(&mut self, name: Arguments<'_>) -> Result<Word, LayoutError> {
        let at = self.at;
        let word = self.word(name)?;
        if word.is_canonical() {
            return Ok(word);
        }
        let text = format!("{name} is not below the field modulus");
        Err(LayoutError { text, at })
    }

    /// Reads `words` words if all of them exist and are field elements. `None`: nothing
    /// was read; the caller reads them one by one to find the wrong one.
    pub(crate) fn fields(&mut self, words: usize) -> Option<Bytes> {
        let start = self.at;
        let bytes = self.buffer[start..].get(..32 * words)?;
        let (words, _) = bytes.as_chunks();
        if !words.iter().all(|word| Word(*word).is_canonical()) {
            return None;
        }
        self.at += bytes.len();
        Some(self.since(start))
    }

    /// Reads a `u32` that must satisfy a condition.
    pub(crate) fn u32_where(
        &mut self,
        name: Arguments<'_>,
        must: Arguments<'_>,
        holds: impl FnOnce(u32) -> bool,
    ) -> Result<u32, LayoutError> {
        let at = self.at;
        let got = self.u32(name)?;
        if holds(got) {
            return Ok(got);
        }
        Err(LayoutError::value(at, name, got.into(), must))
    }

    pub(crate) fn u32_up_to(
        &mut self,
        limit: u32,
        name: Arguments<'_>,
    ) -> Result<u32, LayoutError> {
        self.u32_where(name, format_args!("at most {limit}"), |got| got <= limit)
    }

    /// Reads a count that must satisfy a condition, then a list of so many entries.
    pub(crate) fn list<T>(
        &mut self,
        name: &str,
        (must, holds): (Arguments<'_>, impl FnOnce(u32) -> bool),
        mut item: impl FnMut(&mut Self, u32) -> Result<T, LayoutError>,
    ) -> Result<Vec<T>, LayoutError> {
        let count = self.u32_where(format_args!("number of {name}"), must, holds)?;
        (0..count).map(|i| item(self, i)).collect()
    }

    /// Reads a list of exactly `count` entries; `why` follows the count in the error.
    pub(crate) fn exactly<T>(
        &mut self,
        (count, why): (u32, &str),
        name: &str,
        item: impl FnMut(&mut Self, u32) -> Result<T, LayoutError>,
    ) -> Result<Vec<T>, LayoutError> {
        let must = format_args!("{count}, {why}");
        self.list(name, (must, |got| got == count), item)
    }

    pub(crate) fn at_most<T>(
        &mut self,
        limit: u32,
        name: &str,
        item: impl FnMut(&mut Self, u32) -> Result<T, LayoutError>,
    ) -> Result<Vec<T>, LayoutError> {
        let must = format_args!("at most {limit}");
        self.list(name, (must, |got| got <= limit), item)
    }

    pub(crate) fn end(&self, what: Arguments<'_>) -> Result<(), LayoutError> {
        let (at, extra) = (self.at, self.buffer.len() - self.at);
        if extra == 0 {
            return Ok(());
        }
        let text = format!("{extra} bytes follow the {what}");
        Err(LayoutError { text, at })
    }
}

/// Writes the layouts that [`Reader`] reads.
#[derive(Debug, Default)]
pub(crate) struct Writer(BytesMut);

impl Writer {
    pub(crate) fn with_capacity(bytes: usize) -> Self {
        Self(BytesMut::with_capacity(bytes))
    }

    pub(crate) fn at(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn u8(&mut self, value: u8) {
        self.0.put_u8(value);
    }

    pub(crate) fn u32(&mut self, value: u32) {
        self.0.put_u32(value);
    }

    pub(crate) fn word(&mut self, word: &Word) {
        self.raw(&word.0);
    }

    pub(crate) fn raw(&mut self, bytes: &[u8]) {
        self.0.put_slice(bytes);
    }

    /// Writes a count as `u32`. All lists are bounded far below 2^32.
    pub(crate) fn count(&mut self, count: usize) {
        self.u32(u32::try_from(count).expect("lists are bounded by the limits"));
    }

    pub(crate) fn buffer(&mut self, bytes: &[u8]) {
        self.count(bytes.len());
        self.raw(bytes);
    }

    pub(crate) fn list<T>(&mut self, items: &[T], write: impl Fn(&mut Self, &T)) {
        self.count(items.len());
        items.iter().for_each(|item| write(self, item));
    }

    pub(crate) fn words(&mut self, words: &[Word]) {
        self.list(words, Self::word);
    }

    pub(crate) fn finish(self) -> Bytes {
        self.0.freeze()
    }
}
