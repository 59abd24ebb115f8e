//! Scores as a scenario writes them.

use crate::scenario::constraint::Score;
use crate::scenario::failover::MAX_SCORE;
use crate::scenario::fault::Fault;
use crate::scenario::reader::{Item, Table};

/// What a score may be, as the end of "must be ...".
const ALLOWED: &str = "a whole number from -999999 to 999999, \"INFINITY\" or \"-INFINITY\"";

/// Takes a score; without one it is `INFINITY`.
pub(super) fn take(table: &mut Table<'_>) -> Result<Score, Fault> {
    table.take("score").map_or(Ok(Score::Always), read)
}

fn read(item: Item<'_>) -> Result<Score, Fault> {
    let word = item.scalar()?;
    match word.text.as_str() {
        "INFINITY" | "+INFINITY" => Ok(Score::Always),
        "-INFINITY" => Ok(Score::Never),
        text => match text.parse::<i32>() {
            Ok(number) if number.unsigned_abs() <= MAX_SCORE => Ok(Score::Number(number)),
            _ => Err(word.must_be(ALLOWED)),
        },
    }
}
