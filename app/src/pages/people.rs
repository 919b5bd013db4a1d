//! The part of the access page about the people who sign in with a password. Every action is a plain form.

use leptos::prelude::*;

use crate::cluster::hints::Arg;
use crate::cluster::{FieldError, Timestamp};
use crate::i18n::MessageKey;
use crate::pages::access::options;
use crate::pages::layout::{DocumentContext, copyable, error_list, invalid, table, time};

#[derive(Clone, Debug, Default)]
pub struct PeopleSection {
    /// By name.
    pub people: Vec<PersonRow>,
    /// A link that was created by this request.
    pub new_link: Option<NewLink>,
    /// The values of a rejected form.
    pub form: InviteForm,
    pub errors: Vec<FieldError>,
}

#[derive(Clone, Debug)]
pub struct PersonRow {
    pub name: String,
    pub role: &'static str,
    /// False until an invited person has chosen a password.
    pub has_password: bool,
    pub sessions: usize,
    /// In one of these sessions.
    pub last_action_at: Option<Timestamp>,
    /// When the open link expires with which the person chooses a password.
    pub invited_until: Option<Timestamp>,
}

/// A new link with which a person chooses a password. It is shown only once.
#[derive(Clone)]
pub struct NewLink {
    /// The person's name.
    pub name: String,
    pub link: String,
    pub expires_at: Timestamp,
}

impl std::fmt::Debug for NewLink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewLink").field("name", &self.name).finish_non_exhaustive()
    }
}

/// The form for a new person, as it was sent.
#[derive(Clone, Debug, Default)]
pub struct InviteForm {
    pub name: String,
    pub role: String,
}

const ROLES: [(&str, MessageKey); 2] =
    [("viewer", MessageKey::PagesRoleViewer), ("admin", MessageKey::PagesRoleAdmin)];

pub(crate) fn new_link(
    context: &DocumentContext,
    section: &PeopleSection,
) -> Option<impl IntoView + use<>> {
    let NewLink { name, link, expires_at } = section.new_link.clone()?;
    Some(view! {
        <section class="new-token" role="status" aria-labelledby="new-link">
            <h2 id="new-link">{context.text(MessageKey::PagesUsersLinkFor)} " " <bdi>{name}</bdi></h2>
            <p>{context.text(MessageKey::PagesUsersLinkForSend)} " " {time(Some(expires_at), "")} "."</p>
            {copyable(context, "link".to_owned(), link)}
        </section>
    })
}

/// `can_create`: whether the reader may invite people and change their roles and passwords.
pub(crate) fn section(
    context: &DocumentContext,
    section: PeopleSection,
    can_create: bool,
    nonce: &str,
) -> impl IntoView + use<> {
    let PeopleSection { people, form, errors, .. } = section;
    let rows: Vec<_> =
        people.into_iter().map(|person| row(context, person, can_create, nonce)).collect();
    let columns = [
        MessageKey::PagesName,
        MessageKey::PagesUsersColumnRole,
        MessageKey::PagesUsersColumnSessions,
        MessageKey::PagesUsersColumnPassword,
        MessageKey::PagesUsersRemove,
    ];
    let invite = if can_create {
        invite_form(context, form, nonce, &errors).into_any()
    } else {
        view! { <p class="muted">{context.text(MessageKey::PagesUsersGuest)}</p> }.into_any()
    };
    view! {
        <section aria-labelledby="people">
            <h2 id="people">{context.text(MessageKey::PagesUsers)}</h2>
            <p class="muted">
                {context.text(MessageKey::PagesUsersLead)} " "
                <code>"cluster-overview admin set-password NAME"</code>
            </p>
            {table(context, &columns, rows)}
        </section>
        {invite}
    }
}

fn row(
    context: &DocumentContext,
    person: PersonRow,
    can_create: bool,
    nonce: &str,
) -> impl IntoView + use<> {
    let PersonRow { name, role, has_password, sessions, last_action_at, invited_until } = person;
    let role_form = can_create.then(|| {
        let choice = view! {
            <select name="role" aria-label=context.text(MessageKey::PagesUsersColumnRole)>
                {options(context, &ROLES, role)}
            </select>
        };
        action_form(context, &CHANGE_ROLE, &name, choice)
    });
    let count = Arg::Number(sessions);
    let sessions = if sessions == 0 {
        context.text(MessageKey::PagesUsersNoSessions).into_any()
    } else {
        let last_action = view! {
            <small>{context.text(MessageKey::PagesUsersLastAction)} " " {time(last_action_at, "")}</small>
        };
        view! {
            {context.catalog.format(MessageKey::PagesUsersSessions, &[("count", count)])}
            {last_action}
            {action_form(context, &END_SESSIONS, &name, ())}
        }
        .into_any()
    };
    let (password, reset) = if has_password {
        (MessageKey::PagesUsersPasswordSet, &RESET_PASSWORD)
    } else {
        (MessageKey::PagesUsersPasswordMissing, &NEW_LINK)
    };
    let invited = invited_until.map(|until| {
        view! {
            <small>{context.text(MessageKey::PagesUsersLinkUntil)} " " {time(Some(until), "")}</small>
        }
    });
    let reset = can_create.then(|| {
        let nonce = view! { <input type="hidden" name="form" value=nonce.to_owned() /> };
        action_form(context, reset, &name, nonce)
    });
    view! {
        <tr>
            <th scope="row">
                <bdi>{name.clone()}</bdi>
            </th>
            <td>{role} {role_form}</td>
            <td>{sessions}</td>
            <td>{context.text(password)} {invited} {reset}</td>
            <td>{action_form(context, &REMOVE, &name, ())}</td>
        </tr>
    }
}

/// An action on a person.
struct PersonAction {
    label: MessageKey,
    effect: MessageKey,
    confirm: MessageKey,
    path: &'static str,
    is_dangerous: bool,
}

const CHANGE_ROLE: PersonAction = PersonAction {
    label: MessageKey::PagesUsersChangeRole,
    effect: MessageKey::PagesUsersChangeRoleEffect,
    confirm: MessageKey::PagesUsersChangeRoleConfirm,
    path: "access/people/role",
    is_dangerous: false,
};
const END_SESSIONS: PersonAction = PersonAction {
    label: MessageKey::PagesUsersEndSessions,
    effect: MessageKey::PagesUsersEndSessionsEffect,
    confirm: MessageKey::PagesUsersEndSessionsConfirm,
    path: "access/people/sessions",
    is_dangerous: true,
};
const RESET_PASSWORD: PersonAction = PersonAction {
    label: MessageKey::PagesUsersReset,
    effect: MessageKey::PagesUsersResetEffect,
    confirm: MessageKey::PagesUsersResetConfirm,
    path: "access/people/invitation",
    is_dangerous: false,
};
const NEW_LINK: PersonAction =
    PersonAction { label: MessageKey::PagesUsersNewLink, ..RESET_PASSWORD };
const REMOVE: PersonAction = PersonAction {
    label: MessageKey::PagesUsersRemove,
    effect: MessageKey::PagesUsersRemoveEffect,
    confirm: MessageKey::PagesUsersRemoveConfirm,
    path: "access/people/removal",
    is_dangerous: true,
};

/// A confirmation that needs no scripts.
fn action_form<Fields: IntoView>(
    context: &DocumentContext,
    action: &PersonAction,
    name: &str,
    fields: Fields,
) -> impl IntoView + use<Fields> {
    let class = if action.is_dangerous { "danger" } else { "primary" };
    let label = context.text(action.label);
    view! {
        <details>
            <summary class="button" aria-label=format!("{label} {name}")>{label}</summary>
            <form method="post" action=context.address(action.path)>
                <input type="hidden" name="name" value=name.to_owned() />
                <p>{context.text(action.effect)}</p>
                {fields}
                <button class=class>{context.text(action.confirm)}</button>
            </form>
        </details>
    }
}

fn invite_form(
    context: &DocumentContext,
    form: InviteForm,
    nonce: &str,
    errors: &[FieldError],
) -> impl IntoView + use<> {
    let messages = error_list(context, "invite-errors", errors, error_message);
    view! {
        <section aria-labelledby="invite">
            <h2 id="invite">{context.text(MessageKey::PagesUsersInvite)}</h2>
            <form class="inline-form" method="post" action=context.address("access/people")>
                <input type="hidden" name="form" value=nonce.to_owned() />
                <div class="field">
                    <label for="person">{context.text(MessageKey::PagesUsersInviteNew)}</label>
                    <input
                        type="text"
                        id="person"
                        name="name"
                        value=form.name
                        maxlength="100"
                        autocomplete="off"
                        autocapitalize="none"
                        spellcheck="false"
                        aria-invalid=invalid(errors, "name")
                        aria-describedby=(!errors.is_empty()).then_some("invite-errors")
                        required
                    />
                </div>
                <div class="field">
                    <label for="person-role">{context.text(MessageKey::PagesUsersColumnRole)}</label>
                    <select id="person-role" name="role" aria-invalid=invalid(errors, "role")>
                        {options(context, &ROLES, &form.role)}
                    </select>
                </div>
                <button class="primary">{context.text(MessageKey::PagesUsersInviteConfirm)}</button>
                {messages}
            </form>
        </section>
    }
}

/// The message of the error for a name that somebody else has.
pub const NAME_TAKEN: &str = "taken";

fn error_message(error: &FieldError) -> MessageKey {
    match (error.field.as_str(), error.message.as_str()) {
        ("name", NAME_TAKEN) => MessageKey::PagesUsersInviteErrorTaken,
        ("name", _) => MessageKey::PagesUsersInviteErrorName,
        _ => MessageKey::PagesUsersInviteErrorRole,
    }
}
