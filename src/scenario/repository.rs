//! `[repository]`: a file system that is mounted where the services run, before them.

use super::fault::Fault;
use super::reader::Table;
use crate::ocf::params::fits;
use crate::ocf::spec::Kind;

/// The resource's id in the cluster.
pub const ID: &str = "vm_repository";

/// A file system.
#[derive(Debug)]
pub struct Repository {
    /// What is mounted, as `host:/path`.
    pub device: String,
    /// Where.
    pub directory: String,
    /// Of which type.
    pub fstype: String,
    /// With which options, when there are any.
    pub options: Option<String>,
}

impl Repository {
    pub(super) fn read(table: Table<'_>) -> Result<Repository, Fault> {
        let mut table = table.only(&["device", "directory", "fstype", "options"])?;
        let device = table.need("device", "what is mounted, like 10.60.1.72:/opt/vm_repository")?.text()?;
        let is_plain = |text: &str| !text.is_empty() && fits(Kind::Text, text) && !text.contains(char::is_whitespace);
        if !is_plain(&device.text) {
            return Err(device.must_be("a device or host:/path, without white space"));
        }
        let directory = table.need("directory", "where it is mounted, like /opt/vm_repository")?.text()?;
        if !fits(Kind::Path, &directory.text) || directory.text == "/" {
            return Err(directory.must_be(format!("{} other than /", Kind::Path.allowed())));
        }
        let fstype = table.take("fstype").map(|item| item.text()).transpose()?;
        let options = table.take("options").map(|item| item.text()).transpose()?;
        if let Some(wrong) = fstype.iter().chain(&options).find(|word| !is_plain(&word.text)) {
            return Err(wrong.must_be("one word, as mount(8) takes it"));
        }
        Ok(Repository {
            device: device.text,
            directory: directory.text,
            fstype: fstype.map_or_else(|| "nfs".to_owned(), |word| word.text),
            options: options.map(|word| word.text),
        })
    }
}
