//! A POST with JSON to a web server.

use std::time::Instant;

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Client, Url};
use serde_json::Value;

use super::settings::{Hook, first_line};
use crate::ocf::deadline::Deadline;
use crate::probe::http::{explain, trusting};
use crate::probe::line::seconds;
use crate::probe::runtime;

/// Sends a document: no proxy, no redirect followed, one total deadline. Any answer of 200 to 299 will do.
///
/// # Errors
/// One line: which host, and what it or the network said. Never the URL, which often is a secret.
pub fn send(hook: &Hook, document: &Value, deadline: &Deadline) -> Result<(), String> {
    let started = Instant::now();
    let url = Url::parse(hook.url.reveal()).map_err(|_| "hook: its URL is none".to_owned())?;
    let name = format!("hook at {}", url.host_str().unwrap_or_default());
    let sent = match runtime::block(post(hook, url, document), deadline) {
        Ok(Some(answer)) => answer,
        Ok(None) => Err(format!("no answer in {}", seconds(started))),
        Err(error) => Err(format!("start the client: {error}")),
    };
    sent.map_err(|text| format!("{name}: {text}"))
}

async fn post(hook: &Hook, url: Url, document: &Value) -> Result<(), String> {
    // An error says that a provider was installed before: that one does as well.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut builder = Client::builder().no_proxy().redirect(Policy::none()).user_agent("inuvika-ha").http1_only();
    if let Some(path) = &hook.ca {
        builder = trusting(builder, path)?;
    }
    let client = builder.build().map_err(|error| format!("start the client: {}", explain(&error)))?;
    let mut request = client.post(url).header(CONTENT_TYPE, "application/json").body(document.to_string());
    if let Some(path) = &hook.token_file {
        let token = first_line(path)?;
        let value = HeaderValue::from_str(&format!("Bearer {}", token.reveal()));
        let mut value = value.map_err(|_| format!("{}: has characters that no header may have", path.display()))?;
        value.set_sensitive(true);
        request = request.header(AUTHORIZATION, value);
    }
    let answer = request.send().await.map_err(|error| explain(&error))?;
    if answer.status().is_success() { Ok(()) } else { Err(format!("answered {}", answer.status().as_u16())) }
}
