//! The notifications page: the channels, and the incidents, those that are open before those that ended. It works without scripts.

use leptos::prelude::*;
use maud::{Markup, PreEscaped, html};

use crate::cluster::Severity;
use crate::cluster::hints::Arg;
use crate::i18n::MessageKey;
use crate::page::route::query::{Params, to_query};
use crate::page::status_style;
use crate::page::ui::hidden_fields;
use crate::pages::channels::{self, ShownChannel};
use crate::pages::incidents::{ShownIncident, acknowledgement, cell, moment, stacked_table};
use crate::pages::layout::{Document, DocumentContext, document, page_header};

/// What is longer in a field of the filter is cut.
const MAX_TEXT_CHARS: usize = 200;

#[derive(Clone, Debug)]
pub struct NotificationsPage {
    pub context: DocumentContext,
    /// In the order of their file.
    pub channels: Vec<ShownChannel>,
    pub filter: IncidentFilter,
    /// The latest first.
    pub open: Vec<ShownIncident>,
    /// Whether there are more of them than are shown.
    pub has_more_open: bool,
    /// Those of this page, the latest first; `None` while the database cannot be read.
    pub ended: Option<Vec<ShownIncident>>,
    /// The id of the last incident of this page, if there is another page.
    pub older: Option<String>,
    /// Whether this is not the first page.
    pub is_older: bool,
}

/// Which incidents are shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IncidentFilter {
    pub severity: Option<Severity>,
    /// A name of a server, or a part of names; empty for all.
    pub server: String,
}

impl IncidentFilter {
    /// From the query `severity=` and `server=`.
    pub fn parse(query: &str) -> Self {
        let params = Params::parse(query);
        let server = params.get("server").unwrap_or_default().trim();
        Self {
            severity: params.get("severity").and_then(Severity::parse),
            server: server.chars().take(MAX_TEXT_CHARS).collect(),
        }
    }

    fn pairs(&self) -> Vec<(&'static str, String)> {
        let severity = self.severity.map(|severity| ("severity", severity.as_str().to_owned()));
        let server = (!self.server.is_empty()).then(|| ("server", self.server.clone()));
        severity.into_iter().chain(server).collect()
    }
}

pub fn render(page: NotificationsPage) -> Document {
    let context = &page.context;
    let title = MessageKey::PagesNotifications;
    let main = html! {
        h1 { (context.text(title)) }
        (channels::section(context, &page.channels))
        section aria-labelledby="incidents" {
            h2 #incidents { (context.text(MessageKey::PagesNotificationsIncidents)) }
            p.muted { (context.text(MessageKey::PagesNotificationsLead)) }
            (filter_form(&page))
            h3 #open { (context.text(MessageKey::PagesNotificationsOpen)) }
            (open(&page))
            h3 #past { (context.text(MessageKey::PagesNotificationsPast)) }
            (past(&page))
        }
    };
    let body = view! {
        <div class="icon-sprite" inner_html=status_style::SPRITE></div>
        {page_header(context, title)}
        <main class="wide-page notifications" inner_html=main.into_string()></main>
    };
    document(context, context.text(title), body)
}

fn filter_form(page: &NotificationsPage) -> Markup {
    let NotificationsPage { context, filter, .. } = page;
    let most = MAX_TEXT_CHARS.to_string();
    html! {
        form.inline-form method="get" action={ (context.site.base) "/notifications" } role="search" {
            (hidden_fields(&context.appearance.pairs()))
            div.field {
                label for="severity" { (context.text(MessageKey::PagesNotificationsSeverity)) }
                select #severity name="severity" {
                    option value="" { (context.text(MessageKey::PagesNotificationsAllSeverities)) }
                    @for severity in Severity::ALL {
                        option value=(severity.as_str()) selected[filter.severity == Some(severity)] {
                            (status_style::severity(severity).label(context.catalog))
                        }
                    }
                }
            }
            div.field {
                label for="server" { (context.text(MessageKey::ColumnServer)) }
                input #server type="search" name="server" value=(filter.server) maxlength=(most) autocapitalize="none" spellcheck="false";
            }
            button { (context.text(MessageKey::PagesAuditFilterApply)) }
        }
    }
}

fn open(page: &NotificationsPage) -> Markup {
    let NotificationsPage { context, filter, open, has_more_open, .. } = page;
    let none = if *filter == IncidentFilter::default() {
        MessageKey::PagesNotificationsNoneOpen
    } else {
        MessageKey::PagesNotificationsNoneMatching
    };
    let shown = [("count", Arg::Number(open.len()))];
    html! {
        @if open.is_empty() { p { (context.text(none)) } } @else { (incident_table(context, open, "open")) }
        @if *has_more_open {
            p.muted { (context.catalog.format(MessageKey::PagesNotificationsMoreOpen, &shown)) }
        }
    }
}

fn past(page: &NotificationsPage) -> Markup {
    let NotificationsPage { context, filter, ended, older, is_older, .. } = page;
    let is_filtered = *filter != IncidentFilter::default();
    let none = if is_filtered || *is_older {
        MessageKey::PagesNotificationsNoneMatching
    } else {
        MessageKey::PagesNotificationsNonePast
    };
    let kept = || filter.pairs().into_iter().chain(context.appearance.pairs());
    html! {
        @match ended {
            None => { p.error-text role="alert" { (context.text(MessageKey::PagesNotificationsBlind)) } }
            Some(ended) if ended.is_empty() => { p { (context.text(none)) } }
            Some(ended) => { (incident_table(context, ended, "past")) }
        }
        @if older.is_some() || *is_older || is_filtered {
            p.buttons {
                @if let Some(before) = older {
                    @let query = to_query(std::iter::once(("before", before.clone())).chain(kept()));
                    a.button href={ "?" (query) "#past" } { (context.text(MessageKey::PagesAuditOlder)) }
                    " "
                }
                @if *is_older || is_filtered {
                    a.button href=(context.address("notifications")) { (context.text(MessageKey::PagesNotificationsAll)) }
                }
            }
        }
    }
}

const HEADERS: [MessageKey; 4] = [
    MessageKey::PagesNotificationsColumnIncident,
    MessageKey::PagesIncidentSince,
    MessageKey::PagesIncidentLasted,
    MessageKey::PagesNotificationsColumnAcknowledged,
];

/// `heading`: the id of the heading above.
fn incident_table(context: &DocumentContext, incidents: &[ShownIncident], heading: &str) -> Markup {
    let rows = html! { @for incident in incidents { (incident_row(context, incident)) } };
    stacked_table(context, heading, &HEADERS, rows)
}

fn incident_row(context: &DocumentContext, incident: &ShownIncident) -> Markup {
    let details: Vec<String> =
        incident.not_observed(context).into_iter().chain(incident.repeated(context)).collect();
    let show = if incident.ended.is_some() {
        MessageKey::PagesIncidentShowThen
    } else {
        MessageKey::PagesIncidentShow
    };
    let lasted = html! {
        (PreEscaped(incident.duration().replace(' ', "&nbsp;")))
        @for detail in details { small { (detail) } }
    };
    let acknowledged = html! {
        @if let Some(by) = &incident.acknowledged { (acknowledgement(by)) } @else { span.muted { "–" } }
    };
    html! {
        tr role="row" {
            th role="rowheader" scope="row" {
                span.incident-title {
                    span.severity { (incident.icon(context)) }
                    a href=(incident.address(context)) { (incident.text.title) }
                }
                small { a href=(incident.place) { (context.text(show)) } }
            }
            (cell(context, MessageKey::PagesIncidentSince, moment(incident.since)))
            (cell(context, MessageKey::PagesIncidentLasted, lasted))
            (cell(context, MessageKey::PagesNotificationsColumnAcknowledged, acknowledged))
        }
    }
}
