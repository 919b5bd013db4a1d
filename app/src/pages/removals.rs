//! The removals page: removes many servers that are gone at once. A viewer sees the list without the button.

use leptos::prelude::*;

use crate::cluster::hints::Arg;
use crate::cluster::removal::LastSeen;
use crate::cluster::{FieldError, ServerName, Timestamp};
use crate::i18n::MessageKey;
use crate::page::status_style;
use crate::page::ui::time_since;
use crate::pages::layout::{
    Document, DocumentContext, document, error_list, hidden_inputs, invalid, page_header, table,
    time,
};

/// The field of the form that names the listed servers, one in each line.
pub const SERVERS_FIELD: &str = "servers";

#[derive(Clone, Debug)]
pub struct RemovalsPage {
    pub context: DocumentContext,
    pub now: Timestamp,
    /// What the last removal did, if this page follows one.
    pub outcome: Option<RemovalOutcome>,
    pub form: RemovalForm,
    pub found: Found,
}

/// The filter as it was typed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RemovalForm {
    /// A duration, such as `1 d`; may be empty.
    pub stale_for: String,
    /// A name or a pattern; may be empty.
    pub name: String,
}

impl RemovalForm {
    /// Its fields.
    pub fn pairs(&self) -> Vec<(&'static str, String)> {
        vec![("stale_for", self.stale_for.clone()), ("name", self.name.clone())]
    }
}

#[derive(Clone, Debug)]
pub enum Found {
    /// The form cannot be read.
    Nothing(Vec<FieldError>),
    /// The overview is blind since then.
    Blind(Timestamp),
    /// The first servers that match, by name, and how many match.
    Servers { first: Vec<(ServerName, LastSeen)>, total: usize },
}

/// What a removal did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RemovalOutcome {
    /// How many servers were removed.
    pub removed: usize,
    /// Servers that were listed and not removed: those that report again.
    pub live: Vec<String>,
    /// Those that were not there any more.
    pub absent: Vec<String>,
    /// Those that are gone but no longer match.
    pub other: Vec<String>,
    /// How many more were not removed.
    pub more: usize,
    /// The database was lost before the end.
    pub failed: bool,
}

pub fn render(page: RemovalsPage) -> Document {
    let RemovalsPage { context, now, outcome, form, found } = page;
    let errors = match &found {
        Found::Nothing(errors) => errors.as_slice(),
        Found::Blind(_) | Found::Servers { .. } => &[],
    };
    let filter = filter_form(&context, &form, errors);
    let body = view! {
        {page_header(&context, MessageKey::PagesRemovals)}
        <main class="wide-page">
            <h1>{context.text(MessageKey::PagesRemovals)}</h1>
            {outcome.map(|outcome| outcome_section(&context, outcome))}
            <section aria-label=context.text(MessageKey::PagesRemovalsApply)>
                <p class="muted">{context.text(MessageKey::PagesRemovalsLead)}</p>
                {filter}
            </section>
            {found_section(&context, now, &form, found)}
        </main>
    };
    document(&context, context.text(MessageKey::PagesRemovals), body)
}

fn outcome_section(context: &DocumentContext, outcome: RemovalOutcome) -> impl IntoView + use<> {
    let RemovalOutcome { removed, live, absent, other, more, failed } = outcome;
    let count = |key, count| context.catalog.format(key, &[("count", Arg::Number(count))]);
    let mut sentences = vec![match removed {
        0 => context.text(MessageKey::PagesRemovalsRemovedNone).to_owned(),
        removed => count(MessageKey::PagesRemovalsRemoved, removed),
    }];
    for (key, names) in [
        (MessageKey::PagesRemovalsLeftLive, live),
        (MessageKey::PagesRemovalsLeftAbsent, absent),
        (MessageKey::PagesRemovalsLeftOther, other),
    ] {
        if !names.is_empty() {
            let servers = [("servers", Arg::List(names.into()))];
            sentences.push(context.catalog.format(key, &servers));
        }
    }
    if more > 0 {
        sentences.push(count(MessageKey::PagesRemovalsLeftMore, more));
    }
    let sentences: Vec<_> =
        sentences.into_iter().map(|sentence| view! { <p>{sentence}</p> }).collect();
    let failed = failed.then(|| {
        view! { <p class="error-text" role="alert">{context.text(MessageKey::PagesRemovalsFailed)}</p> }
    });
    view! {
        <section class="outcome" role="status">
            {sentences} {failed} <p>
                <a href=context.address("")>{context.text(MessageKey::PagesBack)}</a>
            </p>
        </section>
    }
}

fn filter_form(
    context: &DocumentContext,
    form: &RemovalForm,
    errors: &[FieldError],
) -> impl IntoView + use<> {
    let messages = error_list(context, "errors", errors, error_message);
    view! {
        <form class="inline-form with-help" method="get" action=format!("{}/removals", context.site.base)>
            {hidden_inputs(&context.appearance.pairs())}
            <div class="field">
                <label for="stale-for">{context.text(MessageKey::PagesRemovalsStaleFor)}</label>
                <input
                    type="text"
                    id="stale-for"
                    name="stale_for"
                    value=form.stale_for.clone()
                    maxlength="50"
                    autocomplete="off"
                    aria-describedby="stale-for-help"
                    aria-invalid=invalid(errors, "stale_for")
                />
                <small id="stale-for-help">{context.text(MessageKey::PagesRemovalsStaleForHelp)}</small>
            </div>
            <div class="field">
                <label for="name">{context.text(MessageKey::PagesRemovalsName)}</label>
                <input
                    type="text"
                    id="name"
                    name="name"
                    value=form.name.clone()
                    maxlength="253"
                    autocomplete="off"
                    autocapitalize="none"
                    spellcheck="false"
                    aria-describedby="name-help"
                    aria-invalid=invalid(errors, "name")
                />
                <small id="name-help">{context.text(MessageKey::PagesRemovalsNameHelp)}</small>
            </div>
            <button>{context.text(MessageKey::PagesRemovalsApply)}</button>
            {messages}
        </form>
    }
}

fn error_message(error: &FieldError) -> MessageKey {
    match error.field.as_str() {
        "stale_for" => MessageKey::PagesRemovalsErrorStaleFor,
        "name" => MessageKey::PagesRemovalsErrorName,
        _ => MessageKey::PagesRemovalsErrorNeither,
    }
}

fn found_section(
    context: &DocumentContext,
    now: Timestamp,
    form: &RemovalForm,
    found: Found,
) -> AnyView {
    let (first, total) = match found {
        Found::Nothing(_) => return ().into_any(),
        Found::Blind(since) => {
            let since = [("since", Arg::Date(since))];
            let text = context.catalog.format(MessageKey::PagesRemovalsBlind, &since);
            return view! { <section><p class="error-text" role="alert">{text}</p></section> }
                .into_any();
        }
        Found::Servers { total: 0, .. } => {
            let text = context.text(MessageKey::PagesRemovalsNone);
            return view! { <section><p>{text}</p></section> }.into_any();
        }
        Found::Servers { first, total } => (first, total),
    };
    let count = [("count", Arg::Number(total))];
    let heading = context.catalog.format(MessageKey::PagesRemovalsMatching, &count);
    let more = (first.len() < total).then(|| {
        let shown = [("shown", Arg::Number(first.len()))];
        view! { <p>{context.catalog.format(MessageKey::PagesRemovalsMore, &shown)}</p> }
    });
    let confirmation = if context.is_admin() {
        confirmation(context, form, &first).into_any()
    } else {
        view! { <p class="muted">{context.text(MessageKey::HeaderReadOnly)}</p> }.into_any()
    };
    let rows: Vec<_> =
        first.into_iter().map(|(name, seen)| server_row(context, now, &name, seen)).collect();
    view! {
        <section aria-labelledby="matching">
            <h2 id="matching">{heading}</h2>
            {more}
            {confirmation}
            {table(context, &HEADERS, rows)}
        </section>
    }
    .into_any()
}

/// The one button, with the names of the servers that are listed: no other is removed.
fn confirmation(
    context: &DocumentContext,
    form: &RemovalForm,
    listed: &[(ServerName, LastSeen)],
) -> impl IntoView + use<> {
    let names: Vec<&str> = listed.iter().map(|(name, _)| name.as_str()).collect();
    let names = [(SERVERS_FIELD, names.join("\n"))];
    let fields: Vec<_> = form.pairs().into_iter().chain(names).collect();
    let count = [("count", Arg::Number(listed.len()))];
    view! {
        <form method="post" action=context.address("removals")>
            {hidden_inputs(&fields)}
            <button class="danger">{context.catalog.format(MessageKey::PagesRemovalsConfirm, &count)}</button>
        </form>
    }
}

const HEADERS: [MessageKey; 4] = [
    MessageKey::ColumnServer,
    MessageKey::DetailsStatus,
    MessageKey::PagesRemovalsColumnSince,
    MessageKey::PagesRemovalsColumnLastHeartbeat,
];

fn server_row(
    context: &DocumentContext,
    now: Timestamp,
    name: &ServerName,
    seen: LastSeen,
) -> impl IntoView + use<> {
    let LastSeen { role, pulse, since, last_heartbeat } = seen;
    let ago = |then| time_since(context.catalog, now, then);
    view! {
        <tr>
            <th scope="row">
                <bdi>{name.to_string()}</bdi>
            </th>
            <td>{status_style::pulse(pulse, role).label(context.catalog)}</td>
            <td>{time(Some(since), "")}<small>{ago(since)}</small></td>
            <td>{time(Some(last_heartbeat), "")}<small>{ago(last_heartbeat)}</small></td>
        </tr>
    }
}
