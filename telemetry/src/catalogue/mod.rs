//! The metrics, by the role that records them.

pub mod bridge;
mod buckets;
pub mod keys;
pub mod process;
pub mod worker;

/// Declares the families of a role, and `ALL`, the list of them.
macro_rules! families {
    ($($kind:ident $(($buckets:ident))? $name:ident $text:literal [$($label:ident)*] $help:literal;)*) => {
        $(families!(@one $kind $(($buckets))? $name $text [$($label)*] $help);)*
        /// All families of this role.
        pub static ALL: &[&$crate::Family] = &[$(&$name.0),*];
    };
    (@one counter $name:ident $text:literal [$($label:ident)*] $help:literal) => {
        families!(@item Counter, $crate::Kind::Counter, $name $text [$($label)*] $help);
    };
    (@one gauge $name:ident $text:literal [$($label:ident)*] $help:literal) => {
        families!(@item Gauge, $crate::Kind::Gauge, $name $text [$($label)*] $help);
    };
    (@one histogram ($buckets:ident) $name:ident $text:literal [$($label:ident)*] $help:literal) => {
        families!(@item Histogram,
            $crate::Kind::Histogram($crate::catalogue::buckets::$buckets),
            $name $text [$($label)*] $help);
    };
    (@item $type:ident, $kind:expr, $name:ident $text:literal [$($label:ident)*] $help:literal) => {
        #[doc = $help]
        pub static $name: $crate::$type<{ <[&str]>::len(&[$(stringify!($label)),*]) }> =
            $crate::$type($crate::Family {
                name: $text,
                kind: $kind,
                help: $help,
                labels: &[$(&$crate::label::$label),*],
            });
    };
}
use families;
