/// Declares an enum whose variants have one name each for logs, metrics, JSON and
/// messages, with `ALL`, `name`, `Display` and `FromStr`.
#[macro_export]
macro_rules! named {
    (
        $(#[$about:meta])*
        pub enum $enum:ident { $($(#[$doc:meta])* $variant:ident = $name:literal,)+ }
    ) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[derive(serde::Serialize, serde::Deserialize)]
        pub enum $enum { $($(#[$doc])* #[serde(rename = $name)] $variant,)+ }

        impl $enum {
            /// Every variant, in order.
            pub const ALL: [Self; [$($name),+].len()] = [$(Self::$variant),+];

            /// The variant's name in logs, metrics, JSON and messages.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }
        }

        impl std::fmt::Display for $enum {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.name())
            }
        }

        impl std::str::FromStr for $enum {
            type Err = $crate::NameError;

            fn from_str(text: &str) -> Result<Self, $crate::NameError> {
                let named = Self::ALL.into_iter().find(|one| one.name() == text);
                named.ok_or_else(|| $crate::NameError::new(text, &Self::ALL.map(Self::name)))
            }
        }
    };
}

/// The error of a text that is not a name of the enum.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{text}\" is not one of {expected}")]
pub struct NameError {
    text: String,
    expected: String,
}

impl NameError {
    #[doc(hidden)]
    pub fn new(text: &str, names: &[&str]) -> Self {
        Self {
            text: text.chars().take(80).collect(),
            expected: names.join(", "),
        }
    }
}
