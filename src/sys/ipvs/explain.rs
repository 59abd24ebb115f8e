//! What an errno of IPVS means, and what to do about it.

use std::io;
use std::net::{IpAddr, SocketAddr};

use nix::errno::Errno;

use super::{Change, Family, Forwarding, Key, NoIpvs, RealServer, Role, Service, SyncDaemon};

/// One line: what could not be done, why, and what to do.
pub fn explain(change: &Change, error: &io::Error) -> String {
    let errno = Errno::from_raw(error.raw_os_error().unwrap_or_default());
    let server = |address: &IpAddr, port: &u16| SocketAddr::new(*address, *port);
    let (what, why) = match change {
        Change::AddService(service) => (format!("add service {}", service.key), of_service(service, errno)),
        Change::EditService(service) => (format!("edit service {}", service.key), of_service(service, errno)),
        Change::DeleteService(key) => (format!("delete service {key}"), of_key(key, errno)),
        Change::AddServer(key, RealServer { address, port, .. }) => {
            (format!("add server {} of {key}", server(address, port)), of_server(change, errno))
        }
        Change::EditServer(key, RealServer { address, port, .. }) => {
            (format!("edit server {} of {key}", server(address, port)), of_server(change, errno))
        }
        Change::DeleteServer(key, address, port) => {
            (format!("delete server {} of {key}", server(address, port)), of_server(change, errno))
        }
    };
    format!("{what}: {}", why.or_else(|| of_all(error, errno)).unwrap_or_else(|| error.to_string()))
}

fn of_service(service: &Service, errno: Errno) -> Option<String> {
    let scheduler = &service.scheduler;
    let engine = service.persistence.as_ref().and_then(|persistence| persistence.engine.as_ref());
    Some(match (errno, engine) {
        (Errno::ENOENT, None) => format!("no scheduler {scheduler}: try `modprobe ip_vs_{scheduler}`"),
        (Errno::ENOENT, Some(engine)) => {
            format!(
                "no scheduler {scheduler} or no engine {engine}: try `modprobe ip_vs_{scheduler}`, `ip_vs_pe_{engine}`"
            )
        }
        (Errno::EINVAL, _) if service.key.family() == Family::V6 && service.persistence.is_some() => {
            "refused: the prefix of its persistence must be 1 to 128".to_owned()
        }
        (Errno::EINVAL, _) => format!("refused by the scheduler {scheduler}"),
        _ => return of_key(&service.key, errno),
    })
}

fn of_key(key: &Key, errno: Errno) -> Option<String> {
    Some(match errno {
        Errno::EEXIST => "it is there already: another program changes the table too".to_owned(),
        Errno::ESRCH => "there is no such service: another program changes the table too".to_owned(),
        Errno::EAFNOSUPPORT if key.family() == Family::V6 => "this kernel balances no IPv6".to_owned(),
        Errno::EPROTONOSUPPORT | Errno::EFAULT => "this kernel does not balance that protocol".to_owned(),
        _ => return None,
    })
}

fn of_server(change: &Change, errno: Errno) -> Option<String> {
    Some(match errno {
        Errno::EEXIST => "it is there already: another program changes the table too".to_owned(),
        Errno::ENOENT => "there is no such server: another program changes the table too".to_owned(),
        Errno::ESRCH => "there is no such service: adding it failed, or another program has deleted it".to_owned(),
        Errno::ERANGE => "its weight or thresholds are out of range (lower above upper?)".to_owned(),
        Errno::EINVAL | Errno::EAFNOSUPPORT => match change {
            Change::AddServer(key, server) | Change::EditServer(key, server) => refused(key, server),
            _ => return None,
        },
        _ => return None,
    })
}

fn refused(key: &Key, server: &RealServer) -> String {
    let (mixed, wrapped) =
        (Family::of(server.address) != key.family(), matches!(server.forwarding, Forwarding::Tunnel(_)));
    match (mixed, wrapped) {
        (true, false) => "a server of the other address family needs forwarding by tunnel".to_owned(),
        (true, true) => {
            "a server of the other address family: stop the sync daemon, or the kernel is too old".to_owned()
        }
        (false, _) => format!("{} is not the address of one host, or nothing routes to it", server.address),
    }
}

fn of_all(error: &io::Error, errno: Errno) -> Option<String> {
    Some(match errno {
        Errno::EPERM => "not permitted: needs root (CAP_NET_ADMIN)".to_owned(),
        Errno::ENOMEM => "the kernel is out of memory".to_owned(),
        Errno::ENOBUFS => "the kernel's answers were lost: ask again".to_owned(),
        _ if NoIpvs::is(error) => NoIpvs.to_string(),
        _ => return None,
    })
}

/// The same for the daemon that could not be started.
pub fn explain_sync(daemon: &SyncDaemon, error: &io::Error) -> String {
    let errno = Errno::from_raw(error.raw_os_error().unwrap_or_default());
    let (role, link) = (if daemon.role == Role::Master { "master" } else { "backup" }, &daemon.interface);
    let why = match errno {
        Errno::EEXIST => "one runs already".to_owned(),
        Errno::ENODEV => format!("there is no link {link}"),
        Errno::EADDRNOTAVAIL => format!("the link {link} has no address"),
        Errno::EINVAL => {
            "a service has servers of both address families, or the link, group or length does not fit".to_owned()
        }
        Errno::EADDRINUSE => "its UDP port is in use".to_owned(),
        _ => of_all(error, errno).unwrap_or_else(|| error.to_string()),
    };
    format!("start the sync {role} on {link}: {why}")
}
