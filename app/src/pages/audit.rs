//! What was done: every action and every sign-in, newest first, for an admin.

use leptos::prelude::*;

use crate::cluster::Timestamp;
use crate::cluster::hints::Arg;
use crate::page::ui::hidden_fields;
use crate::pages::layout::{Document, DocumentContext, document, moment, sentence, table, top};

#[derive(Clone, Debug)]
pub struct AuditPage {
    /// Where it lives, and how it appears.
    pub context: DocumentContext,
    pub lines: Vec<AuditLine>,
    /// All actions there are.
    pub actions: Vec<&'static str>,
    /// The action that is shown alone; empty: all.
    pub action: String,
    /// The text that is looked for; empty: none.
    pub text: String,
    /// To how many characters the text was cut, if it was longer.
    pub cut: Option<usize>,
    /// The query of the older lines, if there are any.
    pub older: Option<String>,
    /// Whether these are not the newest.
    pub earlier: bool,
}

#[derive(Clone, Debug)]
pub struct AuditLine {
    pub at: Timestamp,
    pub who: String,
    /// How they proved it.
    pub proof: String,
    /// Where from.
    pub address: Option<String>,
    pub action: String,
    /// To what.
    pub target: String,
    /// What came of it.
    pub outcome: String,
    /// How often: equal entries within an hour share a line.
    pub count: usize,
    /// When it last happened.
    pub last_at: Timestamp,
}

pub fn document_of(page: AuditPage) -> Document {
    let AuditPage { context, lines, actions, action, text, cut, older, earlier } = page;
    let here = format!("{}/audit", context.site.base);
    let filtered = !(action.is_empty() && text.is_empty());
    let older = older.map(|query| {
        view! {
            <a class="button" href=format!("{here}?{query}")>
                {context.label("plain.audit.older")}
            </a>
        }
    });
    let newest = (earlier || filtered).then(|| {
        view! {
            <a class="button" href=context.address("audit")>
                {context.label("plain.audit.newest")}
            </a>
        }
    });
    let cut = cut.map(|most| {
        let most = Arg::Number(most);
        view! { <p role="status">{context.words.say("plain.audit.cut", &[("most", most)])}</p> }
    });
    let body = view! {
        {top(&context, "page.audit", ("page.access", "access"))}
        <main class="sheet">
            <h1>{context.label("page.audit")}</h1>
            <section aria-label=context.label("page.audit")>
                {filter(&context, &actions, &action, text)}
                {cut}
                {entries(&context, lines, filtered || earlier)}
                <p class="buttons">{older} {newest}</p>
            </section>
        </main>
    };
    document(&context, context.label("page.audit"), body)
}

fn filter(
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
                    {spoken(context, action)}
                </option>
            }
        })
        .collect();
    view! {
        <form class="ask" method="get" action=format!("{}/audit", context.site.base) role="search">
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

fn entries(context: &DocumentContext, lines: Vec<AuditLine>, narrowed: bool) -> AnyView {
    if lines.is_empty() {
        let none = if narrowed { "plain.audit.none-such" } else { "plain.audit.none" };
        return view! { <p>{context.label(none)}</p> }.into_any();
    }
    let lines: Vec<_> = lines.into_iter().map(|entry| line(context, entry)).collect();
    table(context, &HEADS, lines).into_any()
}

/// The keys of the heads.
const HEADS: [&str; 5] = [
    "plain.audit.head.when",
    "plain.audit.head.who",
    "plain.audit.head.what",
    "plain.audit.head.target",
    "plain.audit.head.outcome",
];

fn line(context: &DocumentContext, line: AuditLine) -> impl IntoView + use<> {
    let refused = line.outcome != "done";
    let proof = format!("plain.audit.proof.{}", line.proof.replace(' ', "-"));
    let proof = Some(context.label(&proof).to_owned()).filter(|proof| !proof.is_empty());
    let from = |address| context.words.say("plain.audit.from", &[("from", Arg::Text(address))]);
    let how: Vec<String> = proof.into_iter().chain(line.address.map(from)).collect();
    let how = how.join(" ");
    let outcome = if refused {
        sentence(&line.outcome)
    } else {
        context.label("plain.audit.done").to_owned()
    };
    let repeated = (line.count > 1).then(|| {
        let times =
            context.words.say("plain.audit.repeated", &[("count", Arg::Number(line.count))]);
        view! { <small>{times} " " {moment(Some(line.last_at), "")}</small> }
    });
    view! {
        <tr>
            <td>{moment(Some(line.at), "")} {repeated}</td>
            <th scope="row">
                <bdi>{line.who}</bdi>
                <small>{how}</small>
            </th>
            <td>{spoken(context, &line.action)}</td>
            <td>
                <bdi>{line.target}</bdi>
            </td>
            <td class:wrong=refused>{outcome}</td>
        </tr>
    }
}

/// An action's word as people say it.
fn spoken(context: &DocumentContext, action: &str) -> &'static str {
    context.label(&format!("plain.audit.action.{action}"))
}
