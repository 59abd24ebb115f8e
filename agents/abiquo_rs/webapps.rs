//! The webapps, asked as Abiquo's API asks them: `/check` answers with the id of the datacenter, or with 503 when something that
//! the webapp needs is missing.

use super::config::Config;
use super::settings::Repository;
use crate::ocf::deadline::Deadline;
use crate::probe::http::{self, Answer, Page};

/// What a webapp's answer means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// It is well, and of this datacenter.
    Well,
    /// It says that something it needs is missing.
    Doubtful(String),
    /// It says nothing: it may be busy, or wait for something that it needs.
    Silent(String),
    /// It is not what it should be.
    Wrong(String),
    /// There is no such webapp, or none that may be asked.
    Absent(String),
    /// It is of another datacenter.
    Foreign(String),
    /// It was not asked.
    Unasked(String),
}

/// Who is asked, and what is to be answered.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// The webapps.
    pub webapps: &'a [String],
    /// The id of the datacenter.
    pub datacenter: &'a str,
    /// Where they write to.
    pub repository: Option<&'a Repository>,
}

/// Asks these webapps at once.
pub fn ask(config: &Config, webapps: &[String], datacenter: &str, deadline: &Deadline) -> Vec<(String, Said)> {
    if webapps.is_empty() {
        return Vec::new();
    }
    let page = |name: &String| Page {
        url: format!("http://{}/{name}/check", config.address),
        cookie: String::new(),
        ca: None,
    };
    let pages: Vec<Page> = webapps.iter().map(page).collect();
    let answers = http::get_all(&pages, deadline);
    webapps.iter().cloned().zip(answers.into_iter().map(|answer| understand(answer, datacenter))).collect()
}

fn understand(answer: Result<Answer, String>, datacenter: &str) -> Said {
    match answer {
        Ok(Answer { status: 200, body }) if body.trim() == datacenter => Said::Well,
        Ok(Answer { status: 200, body }) => {
            let id: String = body.trim().chars().take(24).map(|c| if c.is_control() { '?' } else { c }).collect();
            Said::Foreign(format!("it is of datacenter '{id}', not '{datacenter}'"))
        }
        Ok(Answer { status: 503, .. }) => Said::Doubtful("status 503".to_owned()),
        Ok(Answer { status: 404, .. }) => Said::Absent("status 404: it is not deployed".to_owned()),
        // Tomcat itself refuses the question: that does not pass by waiting either.
        Ok(Answer { status: status @ 400..=499, .. }) => Said::Absent(format!("status {status}")),
        Ok(Answer { status, .. }) => Said::Wrong(format!("status {status}")),
        Err(why) if why.starts_with("no answer") => Said::Silent(why),
        // This host lacks memory or files: nothing was asked.
        Err(why) if why.starts_with(http::NO_CLIENT) => Said::Unasked(why),
        Err(why) => Said::Wrong(why),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_counts_for_what_it_says() {
        let answer = |status, body: &str| understand(Ok(Answer { status, body: body.to_owned() }), "rsha");
        assert_eq!(answer(200, "rsha\n"), Said::Well);
        for (status, body, why) in [
            (200, "other", "'other', not 'rsha'"),
            (200, "", "''"),
            (200, "<html>\u{1b}a very long page of a login server</html>", "'<html>?a very long page '"),
            (404, "", "not deployed"),
            (500, "rsha", "status 500"),
            (302, "", "status 302"),
        ] {
            let said = answer(status, body);
            assert!(
                matches!(&said, Said::Wrong(said) | Said::Absent(said) | Said::Foreign(said) if said.contains(why)),
                "{said:?}"
            );
            assert_eq!(matches!(said, Said::Foreign(_)), status == 200);
        }
        assert!(matches!(answer(503, ""), Said::Doubtful(_)));
        assert!(matches!(understand(Err("no answer in 3.0 s".into()), "x"), Said::Silent(_)));
        assert!(matches!(understand(Err(format!("{}: x", http::NO_CLIENT)), "x"), Said::Unasked(_)));
        assert!(matches!(understand(Err("connection refused".into()), "x"), Said::Wrong(_)));
    }
}
