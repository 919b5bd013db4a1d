//! Names and passwords are equal in every Unicode form: composed, or decomposed as on macOS.

use app::protocol::UserRole;
use argon2::password_hash::PasswordHasher as _;
use cluster_overview::auth::audit::{Action, Actor, AuditEntry};
use cluster_overview::auth::model::Account;
use cluster_overview::store::AccessChange;
use testkit::{DEFAULT_TIMEOUT, wait_until};

use crate::harness::{FORM, OWN, Running, cookie, sign_in};

const COMPOSED: (&str, &str) = ("J\u{fc}rgen", "K\u{fc}hlschrank im Moor");
const DECOMPOSED: (&str, &str) = ("Ju\u{308}rgen", "Ku\u{308}hlschrank im Moor");

fn enter(overview: &Running, (name, password): (&str, &str)) -> u16 {
    sign_in(overview, name, password, &[]).status
}

#[test]
fn a_password_set_in_one_unicode_form_works_in_the_other() {
    for (set, typed) in [(COMPOSED, DECOMPOSED), (DECOMPOSED, COMPOSED)] {
        let overview = Running::guarded();
        let form = format!("name={}&password={}&code={}", set.0, set.1, overview.setup_code());
        let form = form.replace(' ', "+");
        assert_eq!(overview.send("POST", "/sign-in", &[FORM, OWN], form.as_bytes()).status, 303);
        assert_eq!(enter(&overview, typed), 303);
        assert_eq!(enter(&overview, set), 303);
        assert_eq!(enter(&overview, (typed.0, "Kuhlschrank im Moor")), 401);
        let people = overview.auth_cache().accounts;
        let shown: Vec<(&str, &str)> =
            people.iter().map(|(key, person)| (key.as_str(), person.name.as_str())).collect();
        assert_eq!(shown, [("j\u{fc}rgen", "J\u{fc}rgen")], "one person");
    }
}

#[test]
fn a_password_hash_of_an_older_version_works_and_is_renewed_at_the_next_sign_in() {
    let overview = Running::guarded();
    for (typed, number) in [(COMPOSED, 1), (DECOMPOSED, 2)] {
        // Older versions hashed a password as it was typed.
        let hash = argon2::Argon2::default().hash_password(DECOMPOSED.1.as_bytes()).unwrap();
        let former = hash.to_string();
        let person = Account {
            invitation: None,
            name: format!("{}-{number}", COMPOSED.0),
            role: UserRole::Admin,
            password: former.clone(),
        };
        let name = person.name.clone();
        let entry = AuditEntry::done(&Actor::command(), Action::SetPassword, "for a story");
        overview.change_access(&[AccessChange::SetAccount(person)], &entry);
        let session = wait_until("the person to be known", DEFAULT_TIMEOUT, || {
            let entered = sign_in(&overview, &name, typed.1, &[]);
            (entered.status == 303).then(|| cookie(&entered))
        });
        let looks = overview.send("GET", "/api/v1/overview", &[("cookie", &session)], &[]);
        assert_eq!(looks.status, 200, "no session ends");
        let renewed = overview.auth_cache().accounts[&name.to_lowercase()].password.clone();
        assert_ne!(renewed, former);
        for again in [COMPOSED, DECOMPOSED] {
            wait_until("the new hash to be known", DEFAULT_TIMEOUT, || {
                (enter(&overview, (&name, again.1)) == 303).then_some(())
            });
        }
        let kept = overview.auth_cache().accounts[&name.to_lowercase()].password.clone();
        assert_eq!(kept, renewed, "it is made anew once");
    }
}
