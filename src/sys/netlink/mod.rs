//! Netlink, the kernel's message protocol: the framing and the socket that links, nftables and IPVS stand on.
//!
//! Blocking and without a runtime: a question takes some 10 us, and most processes of this project ask two or three.

pub mod generic;
pub mod message;
pub mod socket;

pub use generic::Generic;
pub use message::{Attributes, Message, Messages, Writer, attribute, number, text};
pub use socket::{Reply, Socket};
