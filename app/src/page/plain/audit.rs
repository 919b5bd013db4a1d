//! What was done: every action and every sign-in, newest first, for an admin.

use leptos::prelude::*;

use super::{Document, document, moment, sentence, table, top};
use crate::api::Site;
use crate::cluster::Timestamp;

/// What the page shows.
#[derive(Clone, Debug)]
pub struct AuditPage {
    /// Where it lives.
    pub site: Site,
    /// The lines, newest first.
    pub lines: Vec<AuditLine>,
    /// All actions there are.
    pub actions: Vec<&'static str>,
    /// The action that is shown alone; empty: all.
    pub action: String,
    /// The text that is looked for; empty: none.
    pub text: String,
    /// The query of the older lines, if there are any.
    pub older: Option<String>,
    /// Whether these are not the newest.
    pub earlier: bool,
}

/// One line.
#[derive(Clone, Debug)]
pub struct AuditLine {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub who: String,
    /// How they proved it.
    pub proof: String,
    /// Where from.
    pub address: Option<String>,
    /// What.
    pub action: String,
    /// To what.
    pub target: String,
    /// What came of it.
    pub outcome: String,
}

/// The whole HTML document.
pub fn document_of(page: AuditPage) -> Document {
    let AuditPage { site, lines, actions, action, text, older, earlier } = page;
    let here = format!("{}/audit", site.base);
    let filtered = !(action.is_empty() && text.is_empty());
    let older = older.map(|query| {
        view! {
            <a class="button" href=format!("{here}?{query}")>
                "Older"
            </a>
        }
    });
    let newest = (earlier || filtered).then(|| {
        view! {
            <a class="button" href=here.clone()>
                "All, from the newest"
            </a>
        }
    });
    let content = view! {
        {top(&site, "Audit", ("Access", "access"))}
        <main class="sheet">
            <h1>"Audit"</h1>
            <section aria-label="Audit">
                {filter(&here, &actions, &action, text)}
                {entries(lines, filtered || earlier)}
                <p class="buttons">{older} {newest}</p>
            </section>
        </main>
    };
    document(&site, "Audit", content)
}

fn filter(
    here: &str,
    actions: &[&'static str],
    chosen: &str,
    text: String,
) -> impl IntoView + use<> {
    let actions: Vec<_> = actions
        .iter()
        .map(|action| {
            view! {
                <option value=*action selected=*action == chosen>
                    {spoken(action)}
                </option>
            }
        })
        .collect();
    view! {
        <form class="ask" method="get" action=here.to_owned() role="search">
            <div class="field">
                <label for="action">"What was done"</label>
                <select id="action" name="action">
                    <option value="">"Anything"</option>
                    {actions}
                </select>
            </div>
            <div class="field">
                <label for="text">"Who, from where, or to what"</label>
                <input type="search" id="text" name="text" value=text maxlength="100" />
            </div>
            <button>"Show"</button>
        </form>
    }
}

fn entries(lines: Vec<AuditLine>, narrowed: bool) -> AnyView {
    if lines.is_empty() {
        let none = if narrowed { "Nothing like that was done." } else { "Nothing was done yet." };
        return view! { <p>{none}</p> }.into_any();
    }
    let lines: Vec<_> = lines.into_iter().map(line).collect();
    table(&["When", "Who", "What", "To what", "Outcome"], lines).into_any()
}

fn line(line: AuditLine) -> impl IntoView {
    let refused = line.outcome != "done";
    let by = (line.proof != "nothing").then(|| format!("by {}", line.proof));
    let from = line.address.map(|address| format!("from {address}"));
    let how: Vec<String> = by.into_iter().chain(from).collect();
    let how = how.join(" ");
    view! {
        <tr>
            <td>{moment(Some(line.at), "")}</td>
            <th scope="row">
                <bdi>{line.who}</bdi>
                <small>{how}</small>
            </th>
            <td>{spoken(&line.action)}</td>
            <td>
                <bdi>{line.target}</bdi>
            </td>
            <td class:wrong=refused>{sentence(&line.outcome)}</td>
        </tr>
    }
}

/// An action's word as people say it.
fn spoken(action: &str) -> String {
    let said = sentence(&action.replace('-', " "));
    said.trim_end_matches('.').to_owned()
}
