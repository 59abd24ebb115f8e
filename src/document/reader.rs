//! Reads tables of a TOML document and remembers where everything stood.

use super::fault::{Fault, Source};
use std::fmt::Display;
use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

/// A table whose keys are known.
#[derive(Debug)]
pub struct Table<'a> {
    source: Source<'a>,
    path: String,
    at: usize,
    entries: DeTable<'a>,
}

/// A value with its key.
#[derive(Debug)]
pub struct Item<'a> {
    source: Source<'a>,
    /// The full name of the key, as `virtual_ip.nic`.
    pub path: String,
    at: usize,
    value: DeValue<'a>,
}

/// A text with the place it stood at, so that it can be complained about later.
#[derive(Debug, Clone)]
pub struct Word<'a> {
    /// The text.
    pub text: String,
    source: Source<'a>,
    path: String,
    at: usize,
}

impl Word<'_> {
    /// A fault about this text.
    pub fn fault(&self, message: impl Display) -> Fault {
        self.source.fault(self.at, &self.path, message)
    }

    /// This text does not satisfy `allowed`.
    pub fn must_be(&self, allowed: impl Display) -> Fault {
        self.fault(format!("\"{}\" is not allowed: must be {allowed}", self.text.escape_debug()))
    }
}

impl<'a> Table<'a> {
    /// Parses a whole document.
    pub fn document(source: Source<'a>) -> Result<Table<'a>, Fault> {
        let table = DeTable::parse(source.text).map_err(|error| {
            let span = error.span().unwrap_or_default();
            let text = source.text.get(span.clone()).filter(|text| !text.is_empty() && !text.contains('\n'));
            let text = text.map(|text| format!(": {text}")).unwrap_or_default();
            source.fault(span.start, "", format!("{}{text}", error.message()))
        })?;
        Ok(Table { source, path: String::new(), at: 0, entries: table.into_inner() })
    }

    /// Complains about the first key that is not in `allowed`.
    pub fn only(self, allowed: &[&str]) -> Result<Table<'a>, Fault> {
        let unknown = self.entries.keys().filter(|key| !allowed.contains(&key.get_ref().as_ref()));
        match unknown.min_by_key(|key| key.span().start) {
            None => Ok(self),
            Some(key) => {
                let path = join(&self.path, key.get_ref());
                let message = format!("unknown key: allowed here are {}", allowed.join(", "));
                Err(self.source.fault(key.span().start, &path, message))
            }
        }
    }

    /// Takes the value of `key`, if there is one.
    pub fn take(&mut self, key: &str) -> Option<Item<'a>> {
        let value = self.entries.remove(key)?;
        let at = value.span().start;
        Some(Item { source: self.source, path: join(&self.path, key), at, value: value.into_inner() })
    }

    /// Takes the value of `key`, which must be there.
    pub fn need(&mut self, key: &str, hint: &str) -> Result<Item<'a>, Fault> {
        self.take(key).ok_or_else(|| self.source.fault(self.at, &join(&self.path, key), format!("is missing: {hint}")))
    }

    /// Takes everything, for tables whose keys are checked by the caller: the key and its value, in the file's order.
    pub fn entries(self) -> Vec<(Word<'a>, Item<'a>)> {
        let Table { source, path, entries, .. } = self;
        let mut all: Vec<_> = entries.into_iter().collect();
        all.sort_by_key(|(key, _)| key.span().start);
        let pair = |(key, value): (Spanned<DeString<'a>>, Spanned<DeValue<'a>>)| {
            let text = key.get_ref().clone().into_owned();
            let path = join(&path, &text);
            let word = Word { text, source, path: path.clone(), at: key.span().start };
            (word, Item { source, path, at: value.span().start, value: value.into_inner() })
        };
        all.into_iter().map(pair).collect()
    }

    /// The place of the table, so that it can be complained about later.
    pub fn place(&self) -> Word<'a> {
        Word { text: String::new(), source: self.source, path: self.path.clone(), at: self.at }
    }

    /// A fault about the table as a whole.
    pub fn fault(&self, message: impl Display) -> Fault {
        self.source.fault(self.at, &self.path, message)
    }
}

impl<'a> Item<'a> {
    /// A fault about this value.
    pub fn fault(&self, message: impl Display) -> Fault {
        self.source.fault(self.at, &self.path, message)
    }

    fn wrong_type(&self, wanted: &str) -> Fault {
        self.fault(format!("must be {wanted}, not {}", self.value.type_str()))
    }

    /// Whether the value is a text.
    pub fn is_text(&self) -> bool {
        self.value.is_str()
    }

    /// The place of the value, so that it can be complained about later.
    pub fn place(&self) -> Word<'a> {
        self.word(String::new())
    }

    /// Whether the value is a list of tables, as `[[name]]` makes one.
    pub fn is_tables(&self) -> bool {
        self.value.as_array().is_some_and(|list| list.iter().any(|value| value.get_ref().is_table()))
    }

    /// Whether the value is a table.
    pub fn is_table(&self) -> bool {
        self.value.is_table()
    }

    /// A text.
    pub fn text(self) -> Result<Word<'a>, Fault> {
        match self.value.as_str() {
            Some(text) => Ok(self.word(text.to_owned())),
            None => Err(self.wrong_type("a text in quotes")),
        }
    }

    /// A text or a list of texts.
    pub fn texts(self) -> Result<Vec<Word<'a>>, Fault> {
        let Some(list) = self.value.as_array() else {
            return self.text().map(|word| vec![word]);
        };
        let item = |value: &Spanned<DeValue<'a>>| match value.get_ref().as_str() {
            Some(text) => Ok(Word { at: value.span().start, ..self.word(text.to_owned()) }),
            None => Err(self.source.fault(value.span().start, &self.path, "must be a list of texts in quotes")),
        };
        list.iter().map(item).collect()
    }

    /// A text or a whole number, or a list of these, each as text.
    pub fn words(self) -> Result<Vec<Word<'a>>, Fault> {
        let place = self.place();
        let wrong =
            |at| self.source.fault(at, &self.path, "must be a text in quotes, a whole number or a list of these");
        let word = |at, value: &DeValue<'a>| match value {
            DeValue::String(text) => Ok(Word { text: text.clone().into_owned(), at, ..place.clone() }),
            DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
                Ok(number) => Ok(Word { text: number.to_string(), at, ..place.clone() }),
                Err(_) => Err(wrong(at)),
            },
            _ => Err(wrong(at)),
        };
        match &self.value {
            DeValue::Array(list) => list.iter().map(|item| word(item.span().start, item.get_ref())).collect(),
            value => Ok(vec![word(self.at, value)?]),
        }
    }

    /// A text, number, `true` or `false`, or a list of texts, as the one text that an agent's parameter takes.
    pub fn scalar(self) -> Result<Word<'a>, Fault> {
        let text = match &self.value {
            DeValue::Integer(_) => self.integer()?.to_string(),
            DeValue::Boolean(yes) => if *yes { "yes" } else { "no" }.to_owned(),
            DeValue::String(text) => text.clone().into_owned(),
            DeValue::Array(_) => {
                let word = self.word(String::new());
                let all: Vec<String> = self.texts()?.into_iter().map(|word| word.text).collect();
                return Ok(Word { text: all.join(","), ..word });
            }
            _ => return Err(self.wrong_type("a text, a number, true, false or a list of texts")),
        };
        Ok(self.word(text))
    }

    /// A whole number.
    pub fn integer(&self) -> Result<i64, Fault> {
        let number = self.value.as_integer().and_then(|n| i64::from_str_radix(n.as_str(), n.radix()).ok());
        number.ok_or_else(|| self.wrong_type("a whole number"))
    }

    /// `true` or `false`.
    pub fn boolean(&self) -> Result<bool, Fault> {
        self.value.as_bool().ok_or_else(|| self.wrong_type("true or false"))
    }

    /// A table.
    pub fn table(self) -> Result<Table<'a>, Fault> {
        match self.value {
            DeValue::Table(entries) => Ok(Table { source: self.source, path: self.path, at: self.at, entries }),
            _ => Err(self.wrong_type("a table")),
        }
    }

    /// A list of tables.
    pub fn tables(self) -> Result<Vec<Table<'a>>, Fault> {
        let wrong = self.wrong_type(&format!("a list of tables: [[{}]]", self.path));
        let DeValue::Array(list) = self.value else { return Err(wrong) };
        let (source, path) = (self.source, self.path);
        let table = |value: Spanned<DeValue<'a>>| {
            let at = value.span().start;
            match value.into_inner() {
                DeValue::Table(entries) => Ok(Table { source, path: path.clone(), at, entries }),
                _ => Err(wrong.clone()),
            }
        };
        list.into_iter().map(table).collect()
    }

    fn word(&self, text: String) -> Word<'a> {
        Word { text, source: self.source, path: self.path.clone(), at: self.at }
    }
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}
