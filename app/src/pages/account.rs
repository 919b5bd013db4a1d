//! The page of a person's own account: name and role, the password, and the sessions.

use std::net::IpAddr;

use leptos::prelude::*;

use crate::cluster::Timestamp;
use crate::i18n::MessageKey;
use crate::pages::layout::{
    Document, DocumentContext, account_header, alert, document, table, time,
};

#[derive(Clone, Debug)]
pub struct AccountPage {
    pub context: DocumentContext,
    pub name: String,
    pub role: &'static str,
    /// Newest first.
    pub sessions: Vec<SessionRow>,
    /// Whether the password was changed by the request that led here.
    pub is_changed: bool,
    /// Why the password was not changed.
    pub error: Option<PasswordError>,
}

#[derive(Clone, Debug)]
pub struct SessionRow {
    pub signed_in_at: Timestamp,
    pub address: Option<IpAddr>,
    pub last_action_at: Timestamp,
    /// Whether it is the reader's.
    pub is_this: bool,
}

#[derive(Clone, Debug)]
pub struct PasswordError {
    pub field: PasswordField,
    pub message: String,
}

/// Which field of the form has a wrong value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasswordField {
    Current,
    New,
    /// The values are not the reason.
    Neither,
}

pub fn render(page: AccountPage) -> Document {
    let AccountPage { context, name, role, sessions, is_changed, error } = page;
    let title = MessageKey::PagesAccount;
    let changed = is_changed.then(|| {
        view! { <p role="status">{context.text(MessageKey::PagesAccountChanged)}</p> }
    });
    let body = view! {
        {account_header(&context, title)}
        <main class="wide-page">
            <h1>{context.text(title)}</h1>
            <section aria-labelledby="who">
                <h2 id="who"><bdi>{name.clone()}</bdi></h2>
                <p class="muted">{context.text(MessageKey::PagesUsersColumnRole)} ": " {role}</p>
            </section>
            <section aria-labelledby="change">
                <h2 id="change">{context.text(MessageKey::PagesAccountPassword)}</h2>
                {changed}
                {password_form(&context, name, error)}
            </section>
            <section aria-labelledby="sessions">
                <h2 id="sessions">{context.text(MessageKey::PagesAccountSessions)}</h2>
                {session_table(&context, sessions)}
                <form method="post" action=context.address("sign-out")>
                    <button name="everywhere" value="true">
                        {context.text(MessageKey::HeaderSignOutEverywhere)}
                    </button>
                </form>
            </section>
        </main>
    };
    document(&context, context.text(title), body)
}

fn password_form(
    context: &DocumentContext,
    name: String,
    error: Option<PasswordError>,
) -> impl IntoView + use<> {
    let field = error.as_ref().map(|error| error.field);
    let is_invalid = |wrong: PasswordField| (field == Some(wrong)).then_some("true");
    let alert = alert(error.map(|error| error.message));
    view! {
        <form class="inline-form" method="post" action=context.address("account/password")>
            // Password managers store the new password under this name.
            <input type="text" value=name autocomplete="username" readonly hidden />
            <div class="field">
                <label for="current">{context.text(MessageKey::PagesAccountCurrent)}</label>
                <input
                    type="password"
                    id="current"
                    name="current"
                    autocomplete="current-password"
                    maxlength="1024"
                    aria-invalid=is_invalid(PasswordField::Current)
                    aria-describedby=is_invalid(PasswordField::Current).map(|_| "error")
                    required
                />
            </div>
            <div class="field">
                <label for="password">{context.text(MessageKey::PagesAccountNew)}</label>
                <input
                    type="password"
                    id="password"
                    name="password"
                    autocomplete="new-password"
                    maxlength="1024"
                    aria-invalid=is_invalid(PasswordField::New)
                    aria-describedby="password-help"
                    required
                />
            </div>
            <button class="primary">{context.text(MessageKey::PagesAccountSave)}</button>
            {alert}
        </form>
        <p class="muted help" id="password-help">
            {context.text(MessageKey::PagesPasswordHelp)}
            " "
            {context.text(MessageKey::PagesAccountSaveEffect)}
        </p>
    }
}

fn session_table(context: &DocumentContext, sessions: Vec<SessionRow>) -> impl IntoView + use<> {
    let row = |session: SessionRow| {
        let SessionRow { signed_in_at, address, last_action_at, is_this } = session;
        let address = address.map_or_else(
            || context.text(MessageKey::PagesAccountUnknownAddress).to_owned(),
            |address| address.to_string(),
        );
        let this =
            is_this.then(|| view! { <small>{context.text(MessageKey::PagesAccountThis)}</small> });
        view! {
            <tr>
                <th scope="row">{time(Some(signed_in_at), "")} {this}</th>
                <td>{address}</td>
                <td>{time(Some(last_action_at), "")}</td>
            </tr>
        }
    };
    let rows: Vec<_> = sessions.into_iter().map(row).collect();
    let columns = [
        MessageKey::PagesAccountColumnSince,
        MessageKey::PagesAccountColumnFrom,
        MessageKey::PagesAccountColumnLastAction,
    ];
    table(context, &columns, rows)
}
