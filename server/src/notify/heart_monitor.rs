//! Does somebody outside notice when the overview itself dies? A monitor of theirs is told every minute that it works.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::address::Url;
use super::http_client::{HttpClient, Post};
use crate::live::LiveState;

const INTERVAL: Duration = Duration::from_mins(1);

/// The address of a monitor that expects a request at least every few minutes. `Debug` and `Display` show its origin only: its path
/// lets anybody report in the overview's name.
#[derive(Clone)]
pub struct MonitorUrl {
    works: Url,
    fails: Url,
}

impl MonitorUrl {
    /// # Errors
    /// It is not a URL of HTTP, or contains a password.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim_end_matches('/');
        let example = "give an address such as https://hc-ping.com/ID";
        if text.contains(['?', '#']) {
            return Err(format!("has a query or a fragment; {example}"));
        }
        let read = |text: &str| Url::parse(text, true).map_err(|why| format!("{why}; {example}"));
        Ok(Self { works: read(text)?, fails: read(&format!("{text}/fail"))? })
    }

    /// Tells it every minute whether the database can be read and written, until the process ends.
    pub(crate) async fn report(self, live: Arc<LiveState>) {
        let client = HttpClient::for_private_networks();
        let mut answers = true;
        loop {
            let url = if live.is_blind() { self.fails.clone() } else { self.works.clone() };
            let sent = client.post(move || Ok(Post::empty(url))).await;
            if let Err(failure) = &sent
                && answers
            {
                tracing::warn!(%failure, "the address of --ping-url does not answer; it is asked again every minute");
            }
            answers = sent.is_ok();
            tokio::time::sleep(INTERVAL).await;
        }
    }
}

impl fmt::Debug for MonitorUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MonitorUrl({}…)", self.works)
    }
}

impl fmt::Display for MonitorUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}…", self.works)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_of_a_monitor_is_one_of_http_and_its_path_is_not_shown() {
        let url = MonitorUrl::parse("https://hc-ping.com/5bf66975/").unwrap();
        assert_eq!(url.works.path(), "/5bf66975");
        assert_eq!(url.fails.path(), "/5bf66975/fail");
        assert_eq!(
            format!("{url} {url:?}"),
            "https://hc-ping.com… MonitorUrl(https://hc-ping.com…)"
        );
        for text in ["hc-ping.com/1", "ftp://a/1", "https://a:b@c/1", "https://a/1?token=2", ""] {
            assert!(MonitorUrl::parse(text).is_err(), "{text}");
        }
    }
}
