//! Questions as they are named, written down and refused.

use super::*;

fn page() -> Question {
    Question::Http {
        to: "192.0.2.21:80".parse().unwrap(),
        https: false,
        host: None,
        path: "/index.html?token=1".into(),
        method: Method::Get,
        status: Statuses::default(),
        body: None,
        sni: None,
        verify: false,
        ca: None,
    }
}

fn changed(change: impl FnOnce(&mut Question)) -> Question {
    let mut page = page();
    change(&mut page);
    page
}

#[test]
fn a_question_is_named_shortly() {
    assert_eq!(page().to_string(), "http 192.0.2.21:80/index.html");
    let tcp = Question::Tcp { to: "[2001:db8::1]:25".parse().unwrap() };
    assert_eq!(tcp.to_string(), "tcp [2001:db8::1]:25");
    let argv = vec!["/usr/lib/check".to_owned(), "secret".to_owned()];
    let command = Question::Command { to: "192.0.2.1:1".parse().unwrap(), argv, env: BTreeMap::new() };
    assert_eq!(command.to_string(), "/usr/lib/check for 192.0.2.1:1");
    let long = changed(|page| {
        let Question::Http { path, host, .. } = page else { return };
        (*path, *host) = (format!("/{}", "\u{e9}".repeat(100)), Some("www.example.com".into()));
    });
    assert_eq!(long.to_string(), format!("http 192.0.2.21:80/{}... of www.example.com", "\u{e9}".repeat(39)));
}

#[test]
fn a_question_survives_being_written_down() {
    let command = Question::Command {
        to: "[::1]:1".parse().unwrap(),
        argv: vec!["a".into()],
        env: BTreeMap::from([("A".to_owned(), "b".to_owned())]),
    };
    let matched = changed(|page| {
        let Question::Http { body, .. } = page else { return };
        *body = Some(BodyMatch::Regex("a|b".into()));
    });
    for question in [page(), matched, command] {
        let text = serde_json::to_string(&question).unwrap();
        assert_eq!(serde_json::from_str::<Question>(&text).unwrap(), question, "{text}");
    }
}

#[test]
fn what_no_server_understands_is_refused() {
    assert_eq!(page().check(), Ok(()));
    type Change = fn(&mut Question);
    let wrong: [(Change, &str); 14] = [
        (
            |q| {
                if let Question::Http { to, .. } = q {
                    to.set_port(0)
                }
            },
            "port 0",
        ),
        (
            |q| {
                if let Question::Http { path, .. } = q {
                    *path = "index.html".into()
                }
            },
            "does not begin with /",
        ),
        (
            |q| {
                if let Question::Http { path, .. } = q {
                    *path = "/a b".into()
                }
            },
            "percent",
        ),
        (
            |q| {
                if let Question::Http { path, .. } = q {
                    *path = "/a\r\nX: y".into()
                }
            },
            "percent",
        ),
        (
            |q| {
                if let Question::Http { path, .. } = q {
                    *path = "/\u{e9}".into()
                }
            },
            "percent",
        ),
        (
            |q| {
                if let Question::Http { host, .. } = q {
                    *host = Some("a\r\nb".into())
                }
            },
            "host",
        ),
        (
            |q| {
                if let Question::Http { host, .. } = q {
                    *host = Some(String::new())
                }
            },
            "host",
        ),
        (
            |q| {
                if let Question::Http { host, .. } = q {
                    *host = Some("http://a/".into())
                }
            },
            "host",
        ),
        (
            |q| {
                if let Question::Http { body, .. } = q {
                    *body = Some(BodyMatch::Regex("(".into()))
                }
            },
            "regular",
        ),
        (
            |q| {
                if let Question::Http { body, .. } = q {
                    *body = Some(BodyMatch::Text(String::new()))
                }
            },
            "empty",
        ),
        (
            |q| {
                if let Question::Http { verify, .. } = q {
                    *verify = true
                }
            },
            "https",
        ),
        (
            |q| {
                if let Question::Http { sni, .. } = q {
                    *sni = Some("a".into())
                }
            },
            "https",
        ),
        (
            |q| {
                if let Question::Http { https, ca, .. } = q {
                    (*https, *ca) = (true, Some("/ca".into()))
                }
            },
            "verify = true",
        ),
        (
            |q| {
                if let Question::Http { https, sni, .. } = q {
                    (*https, *sni) = (true, Some("a b".into()))
                }
            },
            "server name",
        ),
    ];
    for (change, text) in wrong {
        let question = changed(change);
        let said = question.check().unwrap_err();
        assert!(said.contains(text) && !said.contains('\n'), "{question:?}: {said}");
    }
    let head = changed(|page| {
        let Question::Http { method, body, .. } = page else { return };
        (*method, *body) = (Method::Head, Some(BodyMatch::Text("a".into())));
    });
    assert!(head.check().unwrap_err().contains("HEAD"));
}
