//! Parts of a key file in mapped memory.

use std::{
    fs::File,
    io,
    ops::{Deref, Range},
    sync::Arc,
};

use memmap2::{Mmap, MmapOptions};

/// A part of a mapped key. It keeps the mapping alive; a clone copies no bytes.
#[derive(Debug, Clone)]
pub struct MappedBytes {
    mapping: Arc<Mapping>,
    range: Range<usize>,
}

#[derive(Debug)]
struct Mapping {
    map: Mmap,
    /// A shared lock, which shows other processes that the file is in use.
    _lock: File,
}

impl MappedBytes {
    /// Maps a whole file. All processes of a machine share one copy of the file
    /// in the page cache.
    #[expect(
        unsafe_code,
        reason = "mapping is sound while no process truncates or writes the file: keys are written \
                  under another name, renamed once complete, and never opened for writing again"
    )]
    pub(crate) fn of(file: File) -> io::Result<Self> {
        // A network file system without locks refuses the lock; that is no error.
        let _ = file.try_lock_shared();
        // The whole file is hashed at once: one call maps all pages, instead of
        // one fault for each page.
        let mut options = MmapOptions::new();
        options.populate();
        // SAFETY: see the reason above; the map is read-only.
        let map = unsafe { options.map(&file) }?;
        let range = 0..map.len();
        let mapping = Arc::new(Mapping { map, _lock: file });
        Ok(Self { mapping, range })
    }

    /// The bytes `range` of this part; `None` if the range is not inside it.
    pub fn part(&self, range: Range<usize>) -> Option<Self> {
        let start = self.range.start.checked_add(range.start)?;
        let end = self.range.start.checked_add(range.end)?;
        let inside = start <= end && end <= self.range.end;
        inside.then(|| Self {
            mapping: Arc::clone(&self.mapping),
            range: start..end,
        })
    }
}

impl Deref for MappedBytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.mapping.map[self.range.clone()]
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn parts_are_inside_and_outlive_the_whole() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"proving key").unwrap();
        let whole = MappedBytes::of(file).unwrap();
        let key = whole.part(8..11).unwrap();
        drop(whole);
        assert_eq!(&*key, b"key");
        assert_eq!(&*key.part(1..3).unwrap(), b"ey");
        assert!(key.part(1..4).is_none());
        let backwards = Range { start: 2, end: 1 };
        assert!(key.part(backwards).is_none());
        assert!(key.part(1..usize::MAX).is_none());
    }
}
