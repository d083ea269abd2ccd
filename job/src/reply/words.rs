//! Reads the words of a native tail.

use std::fmt::Arguments;

use super::ReplyError;
use crate::Word;

/// A cursor over words. Names are passed as `format_args!`, so that only an error
/// builds them.
pub(super) struct WordReader<'a> {
    words: &'a [Word],
    at: usize,
}

impl<'a> WordReader<'a> {
    pub(super) fn new(words: &'a [Word]) -> Self {
        Self { words, at: 0 }
    }

    pub(super) fn take(
        &mut self,
        count: usize,
        name: Arguments<'_>,
    ) -> Result<&'a [Word], ReplyError> {
        let rest = &self.words[self.at..];
        let Some(words) = rest.get(..count) else {
            let left = rest.len();
            let why = format_args!("{name} needs {count} words but {left} are left");
            return Err(wrong(self.at, why));
        };
        self.at += count;
        Ok(words)
    }

    pub(super) fn number(
        &mut self,
        name: Arguments<'_>,
        least: usize,
        most: usize,
    ) -> Result<usize, ReplyError> {
        let at = self.at;
        let word = self.take(1, name)?[0];
        let number = word.to_u64();
        match number.and_then(|n| usize::try_from(n).ok()) {
            Some(number) if (least..=most).contains(&number) => Ok(number),
            _ => {
                let got = number.map_or_else(|| word.to_string(), |number| number.to_string());
                let why = format_args!("{name} is {got}, must be from {least} to {most}");
                Err(wrong(at, why))
            }
        }
    }

    pub(super) fn end(&self) -> Result<(), ReplyError> {
        match self.words.len() - self.at {
            0 => Ok(()),
            extra => Err(wrong(
                self.at,
                format_args!("{extra} words follow the last one"),
            )),
        }
    }
}

fn wrong(at: usize, why: Arguments<'_>) -> ReplyError {
    ReplyError::new(format_args!("bundle: {why} (word {at})"))
}
