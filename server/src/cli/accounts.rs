//! The commands `token` and `admin`, which change the database directly.

use std::io::Write as _;

use crate::auth::audit::{Action, Actor, AuditEntry};
use crate::auth::cache::AuthCache;
use crate::auth::model::{Token, TokenOwner, name_key};
use crate::auth::password::PasswordManager;
use crate::auth::{NewToken, describe_token, new_account};
use crate::clock;
use crate::files::text::first_line;
use crate::store::AccessChange;
use crate::store::admin::AdminStore;
use crate::telemetry::outside_text::one_line;
use app::cluster::Timestamp;

use super::{Failure, args};

pub(super) async fn token(command: args::Token) -> Result<(), Failure> {
    match command {
        args::Token::Create(options) => create(options).await,
        args::Token::List(database) => {
            let auth_cache = AdminStore::open(&database.address).await?.auth_cache().await?;
            list(&auth_cache)
        }
        args::Token::Revoke(options) => revoke(options).await,
    }
}

async fn create(options: args::CreateToken) -> Result<(), Failure> {
    let database = AdminStore::open(&options.database.address).await?;
    let now = clock::wall();
    let by = Actor::command();
    let expires = options.expires.map(|life| now + life);
    let new = NewToken { role: options.role, name: options.name, expires_at: expires };
    let (secret, token) = new.into_token(&by, now).map_err(|error| format!("--name {error}"))?;
    let entry = AuditEntry::done(&by, Action::CreateToken, describe_token(&token));
    database.change_access(&[AccessChange::AddToken(secret.hash(), token)], &entry).await?;
    writeln!(std::io::stdout(), "{}", secret.reveal())?;
    Ok(())
}

fn list(auth_cache: &AuthCache) -> Result<(), Failure> {
    let tokens = auth_cache.newest_tokens_first();
    let mut out = std::io::stdout();
    if tokens.is_empty() {
        writeln!(out, "There are no tokens, except the join token of `serve`.")?;
    }
    let now = clock::wall();
    for token in tokens.into_iter().rev() {
        let Token { id, role, name, .. } = token;
        let state = match (token.revoked_at, token.expires_at) {
            (Some(revoked), _) => format!("revoked {}", time(revoked)),
            (None, Some(expires)) if expires <= now => format!("expired {}", time(expires)),
            (None, Some(expires)) => format!("valid until {}", time(expires)),
            (None, None) => "valid".to_owned(),
        };
        let used = token
            .last_used_at
            .map_or_else(|| "never used".to_owned(), |used| format!("used {}", time(used)));
        let (role, name) = (role.as_str(), one_line(name));
        writeln!(out, "{id}  {role:<6}  {state}, {used}  {name}")?;
    }
    Ok(())
}

fn time(moment: Timestamp) -> String {
    moment.date_and_clock()
}

async fn revoke(options: args::RevokeToken) -> Result<(), Failure> {
    let database = AdminStore::open(&options.database.address).await?;
    let auth_cache = database.auth_cache().await?;
    let token = auth_cache.tokens.values().find(|token| token.id == options.id);
    let token = token.ok_or_else(|| {
        format!("there is no token with the ID {}; `token list` shows all", options.id)
    })?;
    let entry = AuditEntry::done(&Actor::command(), Action::RevokeToken, describe_token(token));
    let revoked =
        database.change_access(&[AccessChange::RevokeToken(options.id.clone())], &entry).await?;
    let result = if revoked { "Revoked" } else { "Already revoked:" };
    writeln!(std::io::stdout(), "{result} {}.", describe_token(token))?;
    Ok(())
}

pub(super) async fn admin(command: args::Admin) -> Result<(), Failure> {
    let mut out = std::io::stdout();
    match command {
        args::Admin::SetPassword(options) => {
            let database = AdminStore::open(&options.database.address).await?;
            let passwords = PasswordManager::default();
            let password = read_password()?;
            let account =
                new_account(&passwords, &options.name, options.rank, password, None).await?;
            let name = account.name.clone();
            let target = format!("{name}, {}", options.rank.as_str());
            let entry = AuditEntry::done(&Actor::command(), Action::SetPassword, target);
            database.change_access(&[AccessChange::SetAccount(account)], &entry).await?;
            writeln!(
                out,
                "{name} can sign in as {}. Existing sessions of {name} have ended.",
                options.rank.as_str()
            )?;
        }
        args::Admin::List(database) => {
            let auth_cache = AdminStore::open(&database.address).await?.auth_cache().await?;
            if auth_cache.accounts.is_empty() {
                writeln!(out, "Nobody can sign in yet; `admin set-password` creates a person.")?;
            }
            for account in auth_cache.accounts.values() {
                writeln!(out, "{:<6}  {}", account.role.as_str(), one_line(&account.name))?;
            }
        }
        args::Admin::Remove(options) => {
            let database = AdminStore::open(&options.database.address).await?;
            let entry = AuditEntry::done(&Actor::command(), Action::RemoveUser, &options.name);
            let key = name_key(&options.name);
            let (auth_cache, now) = (database.auth_cache().await?, clock::wall());
            let made = auth_cache.owned_by(&TokenOwner::User(key.clone()));
            let made: Vec<&Token> = made.into_iter().filter(|token| token.is_valid(now)).collect();
            let grant = AccessChange::RemoveAccount(key);
            if !database.change_access(&[grant], &entry).await? {
                return Err(format!(
                    "there is no person with the name {}; `admin list` shows all",
                    options.name
                )
                .into());
            }
            writeln!(
                out,
                "{0} can no longer sign in. All sessions of {0} have ended.",
                options.name
            )?;
            for token in made {
                writeln!(out, "Also revoked: {}.", describe_token(token))?;
            }
        }
    }
    Ok(())
}

const MAX_PASSWORD_LINE_BYTES: u64 = 64 << 10;

/// Reads the first line of standard input: other accounts can read the arguments of a process.
fn read_password() -> Result<String, Failure> {
    first_line(std::io::stdin().lock(), MAX_PASSWORD_LINE_BYTES)
        .map_err(|error| format!("cannot read the password from standard input: {error}").into())
}
