//! A farm as it was written, each part with its place: from a file or from parameters.

use std::fmt::Display;
use std::net::IpAddr;
use std::rc::Rc;

use super::check::CheckDraft;
use super::words::Method;
use super::{AllDown, OnFailure};
use crate::document::reader::Word;
use crate::sys::ipvs::{Family, Protocol, Tunnel};

/// Where something was written.
#[derive(Debug, Clone)]
pub(super) enum At<'a> {
    /// In a file.
    File(Word<'a>),
    /// In a parameter.
    Parameter(&'static str),
}

impl At<'_> {
    /// What is wrong there, in one line.
    pub fn fault(&self, reason: impl Display) -> String {
        match self {
            At::File(word) => word.fault(reason).to_string(),
            At::Parameter(name) => format!("parameter {name}: {reason}"),
        }
    }
}

/// A value with its place.
#[derive(Debug, Clone)]
pub(super) struct Said<'a, T> {
    pub at: At<'a>,
    pub value: T,
}

impl<T> Said<'_, T> {
    pub fn fault(&self, reason: impl Display) -> String {
        self.at.fault(reason)
    }
}

/// What a service is reached by.
#[derive(Debug, Clone, Copy)]
pub(super) enum Target {
    Address(IpAddr, Option<u16>),
    Mark(u32),
}

/// Real servers that were written in one place.
#[derive(Debug, Clone)]
pub(super) struct Servers<'a> {
    pub at: At<'a>,
    pub addresses: Vec<IpAddr>,
    pub port: Option<u16>,
    pub weight: Option<u32>,
    pub forwarding: Option<Said<'a, Method>>,
    pub tunnel: Option<Said<'a, Tunnel>>,
    pub upper: u32,
    pub lower: Option<Said<'a, u32>>,
    pub check: Option<Rc<CheckDraft<'a>>>,
}

impl<'a> Servers<'a> {
    /// Servers of which no more is said.
    pub fn new(at: At<'a>, addresses: Vec<IpAddr>) -> Self {
        let (port, weight, forwarding, tunnel, lower, check) = (None, None, None, None, None, None);
        Self { at, addresses, port, weight, forwarding, tunnel, upper: 0, lower, check }
    }
}

/// A service as it was written: one for each of its targets and ports comes out of it.
#[derive(Debug, Clone)]
pub(super) struct Draft<'a> {
    pub at: At<'a>,
    pub targets: Vec<Said<'a, Target>>,
    pub ports: Vec<Said<'a, u16>>,
    pub family: Option<Family>,
    pub protocol: Protocol,
    pub scheduler: Said<'a, String>,
    pub flags: Vec<Said<'a, String>>,
    pub persistent: Option<Said<'a, u32>>,
    pub prefix: Option<Said<'a, u8>>,
    pub engine: Option<Said<'a, String>>,
    pub one_packet: Option<At<'a>>,
    pub servers: Vec<Servers<'a>>,
    pub weight: u32,
    pub forwarding: Said<'a, Method>,
    pub tunnel: Option<Said<'a, Tunnel>>,
    pub sorry: Option<Servers<'a>>,
    pub quorum: Option<Said<'a, usize>>,
    pub on_failure: Option<OnFailure>,
    pub all_down: AllDown,
    pub check: Option<Rc<CheckDraft<'a>>>,
}

impl<'a> Draft<'a> {
    /// A service of which no more is said.
    pub fn new(at: At<'a>) -> Self {
        Self {
            targets: Vec::new(),
            ports: Vec::new(),
            family: None,
            protocol: Protocol::Tcp,
            scheduler: Said { at: at.clone(), value: "wlc".to_owned() },
            flags: Vec::new(),
            persistent: None,
            prefix: None,
            engine: None,
            one_packet: None,
            servers: Vec::new(),
            weight: 1,
            forwarding: Said { at: at.clone(), value: Method::Nat },
            tunnel: None,
            sorry: None,
            quorum: None,
            on_failure: None,
            all_down: AllDown::Degraded,
            check: None,
            at,
        }
    }
}
