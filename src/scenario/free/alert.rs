//! `[[alert]]`: a program that Pacemaker runs when something happens.

use super::ids::Ids;
use super::pairs;
use crate::scenario::beside::{Alert, Recipient};
use crate::scenario::fault::Fault;
use crate::scenario::names;
use crate::scenario::reader::{Item, Table};

pub(super) fn read(table: Table<'_>, ids: &mut Ids) -> Result<Alert, Fault> {
    let mut table = table.only(&["id", "path", "options", "meta", "recipients"])?;
    let id = table.need("id", names::ID)?.text()?;
    ids.claim(&id, "an alert")?;
    let path = table.need("path", "the program, an absolute path that every node has")?.text()?;
    if !path.text.starts_with('/') || path.text.chars().any(char::is_control) {
        return Err(path.must_be("an absolute path"));
    }
    let options = table.take("options").map_or(Ok(Vec::new()), pairs::read)?;
    let meta = table.take("meta").map_or(Ok(Vec::new()), pairs::read)?;
    let mut recipients: Vec<Recipient> = Vec::new();
    for (index, word) in table.take("recipients").map_or(Ok(Vec::new()), Item::texts)?.into_iter().enumerate() {
        pairs::check_value(&word)?;
        // pcs 0.11 looks for it with an XPath expression in which the apostrophe ends the text.
        if word.text.contains('\'') {
            return Err(word.fault("pcs cannot add a recipient with an apostrophe"));
        }
        if recipients.iter().any(|other| other.value == word.text) {
            return Err(word.fault(format!("{} is there already", word.text)));
        }
        let own = format!("{}-recipient-{}", id.text, index + 1);
        ids.claim_derived(&word, own.clone(), "a recipient")?;
        recipients.push(Recipient { id: own, value: word.text });
    }
    Ok(Alert { id: id.text, path: path.text, options, meta, recipients })
}
