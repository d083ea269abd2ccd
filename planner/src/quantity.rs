//! Kubernetes quantities: `1`, `930m`, `1500`, `1k`.

/// The text is not a Kubernetes quantity.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("quantity {text:?} is not a number like 1, 1.5, 930m or 2k")]
pub struct QuantityError {
    text: String,
}

/// Reads a quantity in thousandths, rounded up as Kubernetes does.
///
/// # Errors
/// Fails for a negative number, a suffix other than `m` or `k`, or an overflow.
pub(crate) fn milli(text: &str) -> Result<i64, QuantityError> {
    let error = || QuantityError {
        text: text.to_owned(),
    };
    let (number, scale) = match text.as_bytes().last() {
        Some(b'm') => (&text[..text.len() - 1], 1),
        Some(b'k') => (&text[..text.len() - 1], 1_000_000),
        _ => (text, 1000),
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(fraction) || fraction.len() > 9 {
        return Err(error());
    }
    let whole: i64 = whole.parse().map_err(|_| error())?;
    let parts = 10_i64.pow(fraction.len() as u32);
    let fraction: i64 = match fraction {
        "" => 0,
        digits => digits.parse().map_err(|_| error())?,
    };
    let fraction = (fraction * scale + parts - 1) / parts;
    whole
        .checked_mul(scale)
        .and_then(|whole| whole.checked_add(fraction))
        .ok_or_else(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_thousandths_rounded_up() {
        let texts = ["1", "930m", "0.93", "2k", "1.5", "0.0001", "1.5m", "0"];
        let expected = [1000, 930, 930, 2_000_000, 1500, 1, 2, 0];
        assert_eq!(texts.map(milli), expected.map(Ok));
    }

    #[test]
    fn what_is_no_quantity_is_refused() {
        let most = i64::MAX.to_string();
        for text in ["", "m", "-1", "1e3", "1Mi", "1 ", ".5", "1.2.3", &most] {
            assert!(milli(text).is_err(), "{text}");
        }
    }
}
