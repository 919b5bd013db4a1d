//! The audit page: every action and every sign-in, newest first, for admins.

use leptos::prelude::*;

use crate::cluster::Timestamp;
use crate::cluster::hints::Arg;
use crate::page::ui::hidden_fields;
use crate::pages::layout::{
    Document, DocumentContext, document, page_header, sentence, table, time,
};

#[derive(Clone, Debug)]
pub struct AuditPage {
    pub context: DocumentContext,
    pub rows: Vec<AuditRow>,
    pub actions: Vec<&'static str>,
    /// The action to filter by; empty for all.
    pub action: String,
    /// The text to search for; empty for none.
    pub text: String,
    /// If the text was too long: the number of characters that it was cut to.
    pub cut: Option<usize>,
    /// The query of the next page, if there is one.
    pub older: Option<String>,
    /// Whether this is not the first page.
    pub is_older: bool,
}

#[derive(Clone, Debug)]
pub struct AuditRow {
    pub at: Timestamp,
    pub who: String,
    /// How they were authenticated.
    pub proof: String,
    pub address: Option<String>,
    pub action: String,
    pub target: String,
    pub outcome: String,
    /// Equal entries within an hour share a row.
    pub count: usize,
    pub last_at: Timestamp,
}

pub fn render(page: AuditPage) -> Document {
    let AuditPage { context, rows, actions, action, text, cut, older, is_older } = page;
    let address = format!("{}/audit", context.site.base);
    let filtered = !(action.is_empty() && text.is_empty());
    let older = older.map(|query| {
        view! {
            <a class="button" href=format!("{address}?{query}")>
                {context.label("plain.audit.older")}
            </a>
        }
    });
    let newest = (is_older || filtered).then(|| {
        view! {
            <a class="button" href=context.address("audit")>
                {context.label("plain.audit.newest")}
            </a>
        }
    });
    let cut_note = cut.map(|max| {
        let max = Arg::Number(max);
        view! { <p role="status">{context.words.say("plain.audit.cut", &[("most", max)])}</p> }
    });
    let body = view! {
        {page_header(&context, "page.audit", ("page.access", "access"))}
        <main class="wide-page">
            <h1>{context.label("page.audit")}</h1>
            <section aria-label=context.label("page.audit")>
                {filter_form(&context, &actions, &action, text)}
                {cut_note}
                {audit_table(&context, rows, filtered || is_older)}
                <p class="buttons">{older} {newest}</p>
            </section>
        </main>
    };
    document(&context, context.label("page.audit"), body)
}

fn filter_form(
    context: &DocumentContext,
    actions: &[&'static str],
    chosen: &str,
    text: String,
) -> impl IntoView + use<> {
    let actions: Vec<_> = actions
        .iter()
        .map(|action| {
            view! {
                <option value=*action selected=*action == chosen>
                    {action_label(context, action)}
                </option>
            }
        })
        .collect();
    view! {
        <form class="inline-form" method="get" action=format!("{}/audit", context.site.base) role="search">
            {hidden_fields(context.appearance.pairs())}
            <div class="field">
                <label for="action">{context.label("plain.audit.what")}</label>
                <select id="action" name="action">
                    <option value="">{context.label("plain.audit.anything")}</option>
                    {actions}
                </select>
            </div>
            <div class="field">
                <label for="text">{context.label("plain.audit.text")}</label>
                <input type="search" id="text" name="text" value=text maxlength="200" />
            </div>
            <button>{context.label("plain.audit.show")}</button>
        </form>
    }
}

fn audit_table(context: &DocumentContext, rows: Vec<AuditRow>, filtered: bool) -> AnyView {
    if rows.is_empty() {
        let none = if filtered { "plain.audit.none-such" } else { "plain.audit.none" };
        return view! { <p>{context.label(none)}</p> }.into_any();
    }
    let rows: Vec<_> = rows.into_iter().map(|row| audit_row(context, row)).collect();
    table(context, &HEADERS, rows).into_any()
}

const HEADERS: [&str; 5] = [
    "plain.audit.head.when",
    "plain.audit.head.who",
    "plain.audit.head.what",
    "plain.audit.head.target",
    "plain.audit.head.outcome",
];

fn audit_row(context: &DocumentContext, row: AuditRow) -> impl IntoView + use<> {
    let failed = row.outcome != "done";
    let proof = format!("plain.audit.proof.{}", row.proof.replace(' ', "-"));
    let proof = Some(context.label(&proof).to_owned()).filter(|proof| !proof.is_empty());
    let from = |address| context.words.say("plain.audit.from", &[("from", Arg::Text(address))]);
    let how: Vec<String> = proof.into_iter().chain(row.address.map(from)).collect();
    let how = how.join(" ");
    let outcome =
        if failed { sentence(&row.outcome) } else { context.label("plain.audit.done").to_owned() };
    let repeated = (row.count > 1).then(|| {
        let times = context.words.say("plain.audit.repeated", &[("count", Arg::Number(row.count))]);
        view! { <small>{times} " " {time(Some(row.last_at), "")}</small> }
    });
    view! {
        <tr>
            <td>{time(Some(row.at), "")} {repeated}</td>
            <th scope="row">
                <bdi>{row.who}</bdi>
                <small>{how}</small>
            </th>
            <td>{action_label(context, &row.action)}</td>
            <td>
                <bdi>{row.target}</bdi>
            </td>
            <td class:error-text=failed>{outcome}</td>
        </tr>
    }
}

fn action_label(context: &DocumentContext, action: &str) -> &'static str {
    context.label(&format!("plain.audit.action.{action}"))
}
