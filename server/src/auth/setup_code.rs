//! The set-up code, with which the first admin is created. `serve` prints it at its start.

use std::fmt;

use app::cluster::Span;

use crate::auth::model::SetupCode;
use crate::auth::secret::{SecretError, SecretHash};
use crate::auth::{AuthService, SignInError};
use crate::store::AccessChange;

const SETUP_CODE_LIFETIME: Span = Span::minutes(60);
/// Longer texts are not compared: it leaves room for blanks between the groups.
const MAX_TYPED_CODE_BYTES: usize = 100;
/// 32 letters and digits, without those that look like others.
const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// A new set-up code, as it is printed.
pub struct SetupCodeText(String);

impl fmt::Debug for SetupCodeText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SetupCodeText(…)")
    }
}

impl SetupCodeText {
    fn generate() -> Result<Self, SecretError> {
        // Five bits a letter: 150 bits.
        let mut random = [0; 30];
        getrandom::fill(&mut random)?;
        let letters = random.map(|byte| char::from(ALPHABET[usize::from(byte) % ALPHABET.len()]));
        let groups: Vec<String> = letters.chunks(5).map(|group| group.iter().collect()).collect();
        Ok(Self(groups.join("-")))
    }

    /// The text of the code, to show it once.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

/// The hash of a code as somebody typed it: in upper or lower case, with or without hyphens. `None` if it is too long.
pub(super) fn typed_code_hash(typed: &str) -> Option<SecretHash> {
    let letters = typed.chars().filter(char::is_ascii_alphanumeric);
    let is_short = typed.len() <= MAX_TYPED_CODE_BYTES;
    is_short.then(|| SecretHash::new(&letters.collect::<String>().to_ascii_lowercase()))
}

impl AuthService {
    /// Creates a set-up code, if there is no admin yet.
    pub async fn create_setup_code(&self) -> Result<Option<SetupCodeText>, SignInError> {
        let auth_cache = self.live.auth_cache();
        if auth_cache.has_admin() {
            return Ok(None);
        }
        // Another web server of the cluster may have printed one that somebody is about to use.
        let is_valid = |code: &SetupCode| self.store.now() < code.expires_at;
        if self.store.is_shared() && auth_cache.setup_code.as_ref().is_some_and(is_valid) {
            return Ok(None);
        }
        let text = SetupCodeText::generate()?;
        let Some(hash) = typed_code_hash(text.reveal()) else { return Ok(None) };
        let code = SetupCode { hash, expires_at: self.store.now() + SETUP_CODE_LIFETIME };
        self.change_access(&[AccessChange::SetSetupCode(code)], None).await?;
        Ok(Some(text))
    }
}
