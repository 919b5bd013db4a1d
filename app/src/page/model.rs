//! What is shown, as plain values: one pure function of the facts, a moment and an address.

use std::sync::Arc;

use crate::cluster::hints::Arg;
use crate::cluster::{Health, HintId, Snapshot, Span, Timestamp};
use crate::i18n::{self, Words};
use crate::page::hints::model::{HintGroup, cut_off, hint_groups};
use crate::page::panel::model::{Panel, panel};
use crate::page::route::query::to_query;
use crate::page::route::{Done, Route};
use crate::page::servers::list;
use crate::page::servers::list::Toolbar;
use crate::page::servers::model::ServerRow;
use crate::page::servers::row_cache::{self, HeartbeatTimes, RowCache};
use crate::page::settings::model::{Form, form};
use crate::page::view_context::ViewContext;

/// The page's opening.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Banner {
    /// The first sentence.
    pub(crate) headline: String,
    /// Who and why.
    pub(crate) detail: String,
    /// The cluster's health.
    pub(crate) health: Health,
    /// Since when the values below are merely the last ones known.
    pub(crate) blind: Option<Timestamp>,
    /// What came of the last thing that was done here.
    pub(crate) done: Option<String>,
}

/// One fact of the configuration: label, value, detail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SummaryItem {
    pub(crate) label: &'static str,
    pub(crate) value: String,
    /// What belongs to it.
    pub(crate) detail: String,
}

#[derive(Clone, Debug)]
pub(crate) struct PageModel {
    pub(crate) banner: Banner,
    /// The configuration.
    pub(crate) summary: Vec<SummaryItem>,
    /// Its form, while it is open.
    pub(crate) form: Option<Form>,
    /// What stands above the servers.
    pub(crate) toolbar: Toolbar,
    /// The servers of this page of the list, with the moments of their heartbeats.
    pub(crate) rows: Vec<(Arc<ServerRow>, HeartbeatTimes)>,
    pub(crate) hints: Vec<HintGroup>,
    pub(crate) panel: Option<Panel>,
    /// The list as it stands in every address: what opens keeps it.
    pub(crate) list: String,
}

impl PageModel {
    /// What a place of the page shows at `now`, with at most `rows` servers.
    pub(crate) fn new(
        snapshot: &Snapshot,
        now: Timestamp,
        route: &Route,
        rows: usize,
        cache: &mut RowCache,
        words: &'static Words,
    ) -> Self {
        let overview = snapshot.overview(now);
        let findings = snapshot.findings(&overview, now);
        let hints = snapshot.hints_of(&overview, &findings);
        let said = words.verdict(&overview, &hints);
        let context = ViewContext { snapshot, overview: &overview, now, route, words };
        let (toolbar, shown) = list::list(&context, rows);
        let rows = row_cache::rows(&shown, &context, &findings, cache);
        let view = Self {
            banner: Banner {
                headline: said.headline,
                detail: said.detail,
                // Without any report nothing is known to be well.
                health: if overview.servers.is_empty() { Health::Unknown } else { overview.health },
                blind: overview.blind_since,
                done: route.done.as_ref().map(|done| context.done(done)),
            },
            summary: summary(&context),
            form: form(&context),
            hints: hint_groups(&hints, cache, &context),
            panel: panel(&context),
            toolbar,
            rows,
            list: to_query(route.persistent_params()),
        };
        cache.remember(overview);
        view
    }

    /// The same, as last known by a page that has had no news since `since`: it is the page that
    /// cannot see, and nobody knows about the overview's database. `error_detail` is what the overview said when it
    /// refused an answer.
    #[cfg_attr(not(feature = "hydrate"), expect(dead_code, reason = "only a browser is cut off"))]
    pub(crate) fn cut_off(mut self, since: Timestamp, error_detail: &str, words: &Words) -> Self {
        self.banner.headline = words.say("cut-off.verdict", &[("since", Arg::Moment(since))]);
        self.hints = vec![cut_off(since, error_detail, words)];
        self
    }
}

impl ViewContext<'_> {
    /// What came of what was just done.
    fn done(&self, done: &Done) -> String {
        let Done::Removed(Some((server, role))) = done else {
            return self.words.say(&format!("done.{}", done.as_str()), &[]);
        };
        let args = [("server", Arg::Text(server.to_string()))];
        let back = self.overview.components().map(|status| &status.component).find(|component| {
            component.server == *server && role.is_none_or(|role| role == component.role)
        });
        let key = match back {
            Some(component) if component.came_back.is_some() => {
                format!("{}.title", HintId::CameBack.as_str())
            }
            Some(_) => "done.restarted".to_owned(),
            None => format!("done.removed.{}", role.map_or("server", |role| role.as_str())),
        };
        self.words.say(&key, &args)
    }
}

fn summary(context: &ViewContext<'_>) -> Vec<SummaryItem> {
    let ViewContext { snapshot, overview, words, .. } = *context;
    let settings = &snapshot.settings;
    let counts = &overview.counts;
    let on = |on: bool| words.label(if on { "fact.on" } else { "fact.off" }).to_owned();
    let judged: usize = overview
        .servers
        .iter()
        .filter(|s| s.components.iter().any(|c| !c.component.is_observer() && !c.component.stopped))
        .count();
    let reference = overview
        .reference_version
        .as_ref()
        .and_then(|reference| overview.versions.iter().find(|count| count.version == *reference));
    let fact = |key, value, detail| SummaryItem { label: words.label(key), value, detail };
    let span = |key, span: String| words.say(key, &[("span", Arg::Text(span))]);
    let number = |name, number| (name, Arg::Number(number));
    vec![
        fact(
            "fact.servers",
            i18n::number(counts.servers),
            words.say(
                "fact.components",
                &[number("web", counts.web), number("service", counts.service)],
            ),
        ),
        fact("settings.balancing.label", on(settings.load_balancing), String::new()),
        fact(
            "settings.failover.label",
            on(settings.automatic_failover),
            span("fact.stale-after", settings.stale_timeout().to_string()),
        ),
        fact(
            "fact.heartbeat",
            span("fact.every", settings.interval().to_string()),
            span("fact.web-window", hours(settings.web_window())),
        ),
        match reference {
            Some(count) => {
                let of = [number("count", count.servers), number("total", judged)];
                fact("fact.software", count.version.clone(), words.say("fact.software.on", &of))
            }
            None => fact("fact.software", "–".to_owned(), String::new()),
        },
    ]
}

/// A day is what people call 24 hours here.
fn hours(span: Span) -> String {
    if span == Span::minutes(24 * 60) { "24 h".to_owned() } else { span.to_string() }
}
