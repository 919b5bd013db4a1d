//! The audit page: every action and every sign-in, newest first, for admins.

use leptos::prelude::*;

use crate::cluster::Timestamp;
use crate::cluster::hints::Arg;
use crate::i18n::MessageKey;
use crate::pages::layout::{
    Document, DocumentContext, document, hidden_inputs, page_header, sentence, table, time,
};

#[derive(Clone, Debug)]
pub struct AuditPage {
    pub context: DocumentContext,
    pub rows: Vec<AuditRow>,
    /// The actions to filter by: in an address, and as people read it.
    pub actions: Vec<(&'static str, MessageKey)>,
    pub filter: AuditFilter,
    /// If the text was too long: the number of characters that it was cut to.
    pub cut: Option<usize>,
    /// The address of the same entries as CSV, below the base path.
    pub csv: String,
    /// The query of the next page, if there is one.
    pub older: Option<String>,
    /// Whether this is not the first page.
    pub is_older: bool,
}

/// The filter as it was typed; empty fields filter nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditFilter {
    pub action: String,
    /// The text to search for.
    pub text: String,
    /// The first and the last day, in UTC.
    pub from: String,
    pub until: String,
}

#[derive(Clone, Debug)]
pub struct AuditRow {
    pub at: Timestamp,
    pub who: String,
    /// How they were authenticated.
    pub proof: Option<MessageKey>,
    pub address: Option<String>,
    /// `None` if another version wrote a word that this one does not know.
    pub action: Option<MessageKey>,
    pub target: String,
    /// The address of the server that the target names, if that is there.
    pub server: Option<String>,
    pub outcome: String,
    /// Equal entries within an hour share a row.
    pub count: usize,
    pub last_at: Timestamp,
}

pub fn render(page: AuditPage) -> Document {
    let AuditPage { context, rows, actions, filter, cut, csv, older, is_older } = page;
    let address = format!("{}/audit", context.site.base);
    let filtered = filter != AuditFilter::default();
    let csv = (!rows.is_empty()).then(|| {
        view! {
            <a class="button" download href=format!("{}/{csv}", context.site.base)>
                {context.text(MessageKey::PagesAuditCsv)}
            </a>
        }
    });
    let older = older.map(|query| {
        view! {
            <a class="button" href=format!("{address}?{query}")>
                {context.text(MessageKey::PagesAuditOlder)}
            </a>
        }
    });
    let newest = (is_older || filtered).then(|| {
        view! {
            <a class="button" href=context.address("audit")>
                {context.text(MessageKey::PagesAuditNewest)}
            </a>
        }
    });
    let cut_note = cut.map(|max| {
        let max = Arg::Number(max);
        view! { <p role="status">{context.catalog.format(MessageKey::PagesAuditFilterTextCut, &[("most", max)])}</p> }
    });
    let body = view! {
        {page_header(&context, MessageKey::HeaderAudit)}
        <main class="wide-page">
            <h1>{context.text(MessageKey::HeaderAudit)}</h1>
            <section aria-label=context.text(MessageKey::HeaderAudit)>
                {filter_form(&context, &actions, filter)}
                {cut_note}
                {audit_table(&context, rows, filtered || is_older)}
                <p class="buttons">{older} {newest} {csv}</p>
            </section>
        </main>
    };
    document(&context, context.text(MessageKey::HeaderAudit), body)
}

fn filter_form(
    context: &DocumentContext,
    actions: &[(&'static str, MessageKey)],
    filter: AuditFilter,
) -> impl IntoView + use<> {
    let AuditFilter { action: chosen, text, from, until } = filter;
    let day = |id: &'static str, label: MessageKey, value: String| {
        view! {
            <div class="field">
                <label for=id>{context.text(label)}</label>
                <input type="date" id=id name=id value=value />
            </div>
        }
    };
    let days = [
        day("from", MessageKey::PagesAuditFilterFrom, from),
        day("until", MessageKey::PagesAuditFilterUntil, until),
    ];
    let actions: Vec<_> = actions
        .iter()
        .map(|(action, message)| {
            view! {
                <option value=*action selected=*action == chosen.as_str()>
                    {context.text(*message)}
                </option>
            }
        })
        .collect();
    view! {
        <form class="inline-form" method="get" action=format!("{}/audit", context.site.base) role="search">
            {hidden_inputs(&context.appearance.pairs())}
            <div class="field">
                <label for="action">{context.text(MessageKey::PagesAuditFilterAction)}</label>
                <select id="action" name="action">
                    <option value="">{context.text(MessageKey::PagesAuditFilterAllActions)}</option>
                    {actions}
                </select>
            </div>
            <div class="field">
                <label for="text">{context.text(MessageKey::PagesAuditFilterText)}</label>
                <input type="search" id="text" name="text" value=text maxlength="200" />
            </div>
            {days}
            <button>{context.text(MessageKey::PagesAuditFilterApply)}</button>
        </form>
    }
}

fn audit_table(context: &DocumentContext, rows: Vec<AuditRow>, filtered: bool) -> AnyView {
    if rows.is_empty() {
        let none =
            if filtered { MessageKey::PagesAuditNoneMatching } else { MessageKey::PagesAuditNone };
        return view! { <p>{context.text(none)}</p> }.into_any();
    }
    let rows: Vec<_> = rows.into_iter().map(|row| audit_row(context, row)).collect();
    table(context, &HEADERS, rows).into_any()
}

const HEADERS: [MessageKey; 5] = [
    MessageKey::PagesAuditColumnTime,
    MessageKey::PagesAuditColumnUser,
    MessageKey::PagesAuditColumnAction,
    MessageKey::PagesAuditColumnTarget,
    MessageKey::PagesAuditColumnResult,
];

fn audit_row(context: &DocumentContext, row: AuditRow) -> impl IntoView + use<> {
    let failed = row.outcome != "done";
    let proof = row.proof.map(|proof| context.text(proof).to_owned());
    let from = |address| {
        context.catalog.format(MessageKey::PagesAuditFrom, &[("from", Arg::Text(address))])
    };
    let how: Vec<String> = proof.into_iter().chain(row.address.map(from)).collect();
    let how = how.join(" ");
    let outcome = if failed {
        sentence(&row.outcome)
    } else {
        context.text(MessageKey::PagesAuditSuccess).to_owned()
    };
    let repeated = (row.count > 1).then(|| {
        let times = context
            .catalog
            .format(MessageKey::PagesAuditRepeated, &[("count", Arg::Number(row.count))]);
        view! { <small>{times} " " {time(Some(row.last_at), "")}</small> }
    });
    view! {
        <tr>
            <td>{time(Some(row.at), "")} {repeated}</td>
            <th scope="row">
                <bdi>{row.who}</bdi>
                <small>{how}</small>
            </th>
            <td>{row.action.map(|action| context.text(action))}</td>
            <td>
                {match row.server {
                    Some(address) => {
                        view! { <a href=address><bdi>{row.target}</bdi></a> }.into_any()
                    }
                    None => view! { <bdi>{row.target}</bdi> }.into_any(),
                }}
            </td>
            <td class:error-text=failed>{outcome}</td>
        </tr>
    }
}
