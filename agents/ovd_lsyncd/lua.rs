//! The configuration that lsyncd runs with. It works for 2.1.5 to 2.3: what only newer ones know is given to rsync as it is.
//!
//! Two things of lsyncd are put right in it. A push that fails never ends the daemon: what went wrong is the peer's, and it
//! is tried again. And a push that was killed is not taken for a good one: lsyncd reads only the exit code of its children,
//! which is 0 for one that a signal has ended (l_exec and masterloop of lsyncd.c, 2.1.5 to 2.3.1), so a push counts when
//! rsync's own log has its closing line.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::sys::remote::Remote;

/// The file in the state folder.
pub const FILE: &str = "lsyncd.lua";
/// lsyncd's log, in the state folder.
pub const LOG: &str = "lsyncd.log";
/// lsyncd's status file, in the state folder.
pub const STATUS: &str = "lsyncd.status";
/// How lsyncd's own names of syncs begin; a number from 1 on follows, in the order of the folders. 2.2 refuses a name that is
/// given (default.checkgauge).
pub const SYNC: &str = "Sync";
/// How the names of the files begin that say that a first push is through.
pub const PASSED: &str = "passed.";
/// How the names of the files begin that say what came of the last push.
pub const PUSHED: &str = "pushed.";
/// How the names of rsync's logs begin.
pub const RSYNC_LOG: &str = "rsync.";
/// rsync gives up when the peer says nothing for this many seconds: an rsync that hangs there would block lsyncd for ever
/// (lsyncd issue 195).
const SILENCE: u32 = 60;
/// With this many changes lsyncd pushes at once; each new change is compared with all that wait.
const AT_ONCE: u32 = 1000;
/// How often, in seconds, lsyncd tries again while the peer refuses what it pushes.
const PAUSE: u32 = 60;

/// What goes into it.
#[derive(Debug)]
pub struct Lua<'a> {
    /// Where the files above are.
    pub state: &'a Path,
    /// The peer.
    pub remote: &'a Remote,
    /// What rsync is to use for ssh, as one line.
    pub rsh: &'a str,
    /// The note that the peer refuses what is pushed, in the state folder.
    pub refused: &'a str,
    /// The folders, the canary's last.
    pub folders: &'a [PathBuf],
    /// What is not copied.
    pub exclude: &'a [String],
    /// How long changes are collected.
    pub delay: Duration,
    /// Where the peer keeps what the first push overwrites or deletes.
    pub backup: Option<&'a Path>,
    /// rsync's program.
    pub rsync: &'a Path,
    /// What that is given besides.
    pub options: &'a [&'a str],
}

impl Lua<'_> {
    /// The text.
    pub fn text(&self) -> String {
        let mut text = String::from("-- Written by the resource agent ovd-lsyncd at each start: changes are lost.\n");
        let at = |name: &str| quote(&self.state.join(name).display().to_string());
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "settings{{\n    logfile = {},\n    statusFile = {},\n    statusInterval = 1,\n    insist = true,\n}}\n\n\
             local state = {}\nlocal at_once = {AT_ONCE}\n\
             local refused = {}\nlocal pause = {PAUSE}",
            at(LOG),
            at(STATUS),
            quote(&format!("{}/", self.state.display())),
            quote(self.refused),
        );
        text.push_str(FUNCTIONS);
        for (index, folder) in self.folders.iter().enumerate() {
            self.sync(&mut text, index + 1, folder);
        }
        text
    }

    fn sync(&self, text: &mut String, number: usize, folder: &Path) {
        let folder = folder.display().to_string();
        let excludes: Vec<String> = self.exclude.iter().map(|pattern| quote(pattern)).collect();
        let log = self.state.join(format!("{RSYNC_LOG}{number}"));
        let log = format!("--log-file={}", log.display());
        let own = [log.as_str(), "--log-file-format="];
        let extra = own.iter().chain(self.options).copied();
        let extra: Vec<String> = extra.map(quote).collect();
        let backup = self.backup.map_or("{}".to_owned(), |at| {
            format!("{{ '--backup', {} }}", quote(&format!("--backup-dir={}{folder}", at.display())))
        });
        let _ = writeln!(
            text,
            "\nsync{{\n    default.rsync,\n    source = {source},\n    target = {target},\n    \
             delay = {delay},\n    maxDelays = at_once,\n    maxProcesses = 1,\n    delete = true,\n    \
             exclude = {{ {excludes} }},\n    collect = collector({number}, {backup}, {delay}),\n    rsync = {{\n        \
             binary = {binary},\n        archive = true,\n        timeout = {SILENCE},\n        rsh = {rsh},\n        \
             _extra = arguments({number}, {{ {extra} }}, {backup}),\n    }},\n}}",
            source = quote(&folder),
            target = quote(&self.remote.place(&folder)),
            delay = self.delay.as_secs(),
            excludes = excludes.join(", "),
            binary = quote(&self.rsync.display().to_string()),
            rsh = quote(self.rsh),
            extra = extra.join(", "),
        );
    }
}

/// A Lua string that holds exactly `text`, whatever is in it: every byte that is not plain is written as its number (Lua 5.1
/// to 5.4, "Lexical Conventions").
pub fn quote(text: &str) -> String {
    let mut quoted = String::from("'");
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z'
            | b'A'..=b'Z'
            | b'0'..=b'9'
            | b' '
            | b'_'
            | b'-'
            | b'+'
            | b'.'
            | b','
            | b':'
            | b'/'
            | b'='
            | b'@'
            | b'*'
            | b'?'
            | b'%'
            | b'~'
            | b'#'
            | b'$'
            | b'&'
            | b'('
            | b')'
            | b'{'
            | b'}' => {
                quoted.push(char::from(byte));
            }
            // Three digits, so that a digit after it is not taken for its own.
            _ => {
                let _ = write!(quoted, "\\{byte:03}");
            }
        }
    }
    quoted.push('\'');
    quoted
}

/// What the syncs share. Nothing is global: lsyncd allows no new globals once it runs.
const FUNCTIONS: &str = r#"
-- Writes a file of the state folder in one step: whoever reads it sees the old or the new one.
local function note(name, text)
    local beside = state .. '.' .. name .. '.new'
    local file = io.open(beside, 'w')
    if not file then return end
    file:write(text, '\n')
    file:close()
    os.rename(beside, state .. name)
end

-- Begin of a file of the state folder; empty when there is none.
local function begin(name)
    local file = io.open(state .. name, 'r')
    if not file then return '' end
    local text = file:read(65536) or ''
    file:close()
    return text
end

-- Takes what rsync has logged since it was last asked, and leaves its log empty.
local function said(number)
    local name = 'rsync.' .. number
    local text = begin(name)
    local file = io.open(state .. name, 'w')
    if file then file:close() end
    return text
end

-- Whether the first push of this daemon is through. lsyncd reads this file again after a HUP or an overflow of events.
local function passed(number)
    return string.find(begin('passed.' .. number), '^%d') ~= nil
end

-- rsync's further arguments: the first push keeps what it overwrites or deletes.
local function arguments(number, extra, backup)
    if not passed(number) then
        for _, word in ipairs(backup) do table.insert(extra, word) end
    end
    return extra
end

-- The arguments that lsyncd has made of its settings, without those for the first push.
local function without(computed, backup)
    local rest = { }
    for _, word in ipairs(computed) do
        local drop = false
        for _, other in ipairs(backup) do drop = drop or word == other end
        if not drop then table.insert(rest, word) end
    end
    return rest
end

-- Judges a push. 24 is a file that went away meanwhile, which is told as an event of its own; after 23 some files are not
-- there, and lsyncd would forget them.
local function collector(number, backup, delay)
    local pushes = 0
    return function(agent, code)
        local config = agent.config
        local log = said(number)
        local through = code == 24 or code == 0 and string.find(log, 'total size', 1, true) ~= nil
        local complaint = string.match(log, '[^\n]*rsync: [^\n]*') or string.match(log, '[^\n]*rsync error: [^\n]*') or ''
        if code == 0 and not through then code = 'killed' end
        if through then pushes = pushes + 1 end
        local first = not agent.isList and agent.etype == 'Init'
        if first and through then
            config.rsync._computed = without(config.rsync._computed, backup)
            note('passed.' .. number, tostring(code))
        elseif first and code == 23 and not passed(number) then
            note('passed.' .. number, 'partial')
        end
        note('pushed.' .. number, pushes .. '\n' .. code .. '\n' .. complaint)
        -- A full queue is pushed without a pause. After a failure that would be one rsync after the other.
        config.maxDelays = through and at_once or math.huge
        -- A peer with newer data is left alone: a person has to decide.
        config.delay = not through and begin(refused) ~= '' and pause or delay
        return through and 'ok' or 'again'
    end
end
"#;
