//! Times, as Pacemaker writes them.

/// A time in milliseconds, as Pacemaker writes it: `10`, `10s`, `500ms`, `1min`, `4h`, `1day`, `PT5M`; none: it is none.
pub fn milliseconds(text: &str) -> Option<u64> {
    let text = text.trim();
    if let Some(rest) = text.strip_prefix('P') {
        return period(rest);
    }
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at_checked(digits)?;
    let factor = match unit.trim() {
        "" | "s" | "sec" => 1000,
        "ms" | "msec" => 1,
        "m" | "min" => 60_000,
        "h" | "hr" => 3_600_000,
        "d" | "day" | "days" => 86_400_000,
        "us" | "usec" => return Some(number.parse::<u64>().ok()? / 1000),
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(factor)
}

/// The rest of an ISO 8601 period.
fn period(text: &str) -> Option<u64> {
    let (mut total, mut number, mut time, mut any) = (0_u64, String::new(), false, false);
    for c in text.chars() {
        let factor = match (c, time) {
            ('T', false) => {
                time = true;
                continue;
            }
            ('0'..='9', _) => {
                number.push(c);
                continue;
            }
            ('W', false) => 604_800_000,
            ('D', false) => 86_400_000,
            ('M', false) => 2_592_000_000,
            ('Y', false) => 31_536_000_000,
            ('H', true) => 3_600_000,
            ('M', true) => 60_000,
            ('S', true) => 1000,
            _ => return None,
        };
        total = total.checked_add(number.parse::<u64>().ok()?.checked_mul(factor)?)?;
        number.clear();
        any = true;
    }
    (any && number.is_empty()).then_some(total)
}

#[cfg(test)]
mod tests {
    use super::milliseconds;

    #[test]
    fn times() {
        for (text, expected) in [
            ("10", Some(10_000)),
            ("10s", Some(10_000)),
            (" 1min", Some(60_000)),
            ("500ms", Some(500)),
            ("PT5M", Some(300_000)),
            ("P1DT1S", Some(86_401_000)),
            ("10 parsecs", None),
            ("", None),
            ("P", None),
            ("é", None),
            ("99999999999999999999", None),
        ] {
            assert_eq!(milliseconds(text), expected, "{text}");
        }
    }
}
