//! Reading of the words that a native tail carries.

use std::fmt;

use crate::Word;

/// Words that are not what a tail of their form has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WordsError {
    /// There are fewer than a count before them says.
    #[error("{field} needs {needs} words but {left} are left (word {at})")]
    Truncated {
        /// What is cut.
        field: String,
        /// Words that it needs.
        needs: usize,
        /// Words that are left.
        left: usize,
        /// The word at which it starts.
        at: usize,
    },
    /// Words follow the last one.
    #[error("{extra} words follow the last one (word {at})")]
    Trailing {
        /// Words that are left over.
        extra: usize,
        /// The first of them.
        at: usize,
    },
    /// A number that must have another value.
    #[error("{field} is {}, must be {must} (word {at})", shown(got))]
    Value {
        /// What the word is.
        field: String,
        /// What stands there.
        got: Word,
        /// What must stand there.
        must: String,
        /// Its place.
        at: usize,
    },
}

/// A number as such, anything else as the word it is.
fn shown(word: &Word) -> String {
    word.to_u64()
        .map_or_else(|| word.to_string(), |number| number.to_string())
}

/// A cursor over words. Names are given as `format_args!` so that they are
/// only built when something is wrong.
pub(super) struct WordReader<'a> {
    words: &'a [Word],
    at: usize,
}

impl<'a> WordReader<'a> {
    pub(super) fn new(words: &'a [Word]) -> Self {
        Self { words, at: 0 }
    }

    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// The next `count` words.
    pub(super) fn take(
        &mut self,
        count: usize,
        name: fmt::Arguments<'_>,
    ) -> Result<&'a [Word], WordsError> {
        let rest = &self.words[self.at..];
        let Some(words) = rest.get(..count) else {
            return Err(WordsError::Truncated {
                field: name.to_string(),
                needs: count,
                left: rest.len(),
                at: self.at,
            });
        };
        self.at += count;
        Ok(words)
    }

    /// A number within bounds.
    pub(super) fn number(
        &mut self,
        name: fmt::Arguments<'_>,
        least: usize,
        most: usize,
    ) -> Result<usize, WordsError> {
        let at = self.at;
        let got = self.take(1, name)?[0];
        let number = got.to_u64().and_then(|n| usize::try_from(n).ok());
        match number.filter(|n| (least..=most).contains(n)) {
            Some(number) => Ok(number),
            None => Err(WordsError::Value {
                field: name.to_string(),
                got,
                must: format!("from {least} to {most}"),
                at,
            }),
        }
    }

    /// All words that are left.
    pub(super) fn rest(&self) -> &'a [Word] {
        &self.words[self.at..]
    }

    /// There are no more words.
    pub(super) fn end(&self) -> Result<(), WordsError> {
        match self.rest().len() {
            0 => Ok(()),
            extra => Err(WordsError::Trailing { extra, at: self.at }),
        }
    }
}
