//! A director of the kernel's load balancer: what is wanted, how healthy it is, and what to change.

pub mod check;
