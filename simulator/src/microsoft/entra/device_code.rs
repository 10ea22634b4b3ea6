//! Sign-in with a device code: a program asks for one, a person enters its short form in a browser, and the program gets
//! that person's tokens.
//!
//! From Microsoft's page "OAuth 2.0 device authorization grant". That a refresh token from it may not be used with a secret
//! (AADSTS700025), and that an application without "Allow public client flows" is refused at the token endpoint
//! (AADSTS7000218), is known from public reports.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use serde_json::{Value, json};

use crate::microsoft::directory::Application;
use crate::microsoft::entra::{Entra, Refusal};
use crate::microsoft::ids;
use crate::sync::lock;

/// The codes of one Entra, by their long form; cheap to clone.
#[derive(Clone, Default)]
pub(super) struct DeviceCodes(Arc<Mutex<BTreeMap<String, DeviceCode>>>);

/// A sign-in that somebody has begun.
#[derive(Clone)]
struct DeviceCode {
    client: String,
    /// As asked for; the request for the token has none.
    scope: String,
    user_code: String,
    /// RFC 3339.
    end: String,
    approved: bool,
}

/// What a person agreed to.
pub(super) struct Approved {
    pub(super) scope: String,
}

impl DeviceCodes {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, DeviceCode>> {
        lock(&self.0)
    }

    /// The answer to the request for a code, and its user code is remembered.
    pub(super) fn begin(&self, client: &str, scope: &str, page: &str) -> Value {
        let (device_code, user_code) = (ids::random_text(90), user_code());
        let code = DeviceCode {
            client: client.to_owned(),
            scope: scope.to_owned(),
            user_code: user_code.clone(),
            end: ids::in_seconds(LIFETIME),
            approved: false,
        };
        let mut codes = self.lock();
        // Whoever still polls hears for a while that the code is over.
        let long_over = ids::in_seconds(-LIFETIME);
        codes.retain(|_, code| code.end > long_over);
        codes.insert(device_code.clone(), code);
        json!({
            "user_code": user_code,
            "device_code": device_code,
            "verification_uri": page,
            "expires_in": LIFETIME,
            "interval": 5,
            "message": format!(
                "To sign in, use a web browser to open the page {page} and enter the code {user_code} to authenticate."
            ),
        })
    }

    /// Uses up a code that was approved.
    pub(super) fn redeem(&self, client: &Application, sent: &str) -> Result<Approved, Refusal> {
        let mut codes = self.lock();
        let code = codes
            .get(sent)
            .filter(|code| code.client == client.app_id)
            .ok_or(Refusal::BadDeviceCode)?;
        if ids::is_past(&code.end) {
            return Err(Refusal::ExpiredDeviceCode);
        }
        if !code.approved {
            return Err(Refusal::Pending);
        }
        let approved = Approved {
            scope: code.scope.clone(),
        };
        codes.remove(sent);
        Ok(approved)
    }
}

impl Entra {
    /// What the tenant's administrator does at the page for it: enters the code, and agrees. False for an unknown code.
    pub fn approve_device_code(&self, user_code: &str) -> bool {
        let mut codes = self.device_codes.lock();
        let found = codes
            .values_mut()
            .find(|code| code.user_code.eq_ignore_ascii_case(user_code.trim()));
        found.map(|code| code.approved = true).is_some()
    }

    /// Ends the life of every device code now.
    pub fn expire_device_codes(&self) {
        for code in self.device_codes.lock().values_mut() {
            code.end = ids::in_seconds(-1);
        }
    }
}

/// Nine capitals and digits, without those that look alike.
fn user_code() -> String {
    let letter = || char::from(LETTERS[usize::from(rand::random::<u8>()) % LETTERS.len()]);
    std::iter::repeat_with(letter).take(9).collect()
}

/// Seconds, as Microsoft documents.
const LIFETIME: i64 = 900;
const LETTERS: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
