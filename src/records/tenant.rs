//! The Microsoft 365 tenant that an object belongs to: an object of one tenant is never taken for that of another.

use crate::clients::{Calls, Clients};
use crate::microsoft::Microsoft365;
use crate::plugin::schema::Modifier;
use crate::plugin::{Attribute, Context, Diagnostic, Object};
use crate::records::diagnostics;

pub(crate) const TENANT_ID: &str = "tenant_id";

pub(crate) fn attribute() -> Attribute {
    Attribute::text(TENANT_ID)
        .computed()
        .plan(Modifier::UseNonNullStateForUnknown)
        .describe("The tenant's id, a GUID: that of the sign-in.")
}

/// The tenant that the sign-in is for. A tenant that is configured by its domain name has the same id as by its GUID.
pub(crate) async fn of_sign_in(cx: &Context<Clients>, microsoft: &Microsoft365) -> Result<String, Diagnostic> {
    let of_token = microsoft.support.tenant(&cx.limits()).await;
    let of_token = of_token.map_err(|error| diagnostics::of_support(&error, "sign in to the admin center"))?;
    of_token.or_else(|| microsoft.tenant_id.clone()).ok_or_else(|| {
        Diagnostic::error(
            "Unknown tenant",
            "Neither the provider's configuration nor its token identifies the tenant. Set microsoft365.tenant_id \
             (or ARM_TENANT_ID).",
        )
    })
}

/// The tenant of the sign-in, which is that of the state where the state names one. `what` names the object:
/// `This repository`.
pub(crate) async fn of_state(
    cx: &Context<Clients>,
    microsoft: &Microsoft365,
    state: &Object,
    what: &str,
) -> Result<String, Diagnostic> {
    let tenant = of_sign_in(cx, microsoft).await?;
    match state.text(TENANT_ID) {
        Some(known) if !known.eq_ignore_ascii_case(&tenant) => Err(Diagnostic::error(
            "Another tenant",
            format!(
                "{what} belongs to the tenant {known}, but the provider is signed in to {tenant}. Nothing was sent. Correct \
                 the provider's configuration; or, to manage the other tenant from now on, remove the object from the \
                 state first: terraform state rm."
            ),
        )),
        Some(_) | None => Ok(tenant),
    }
}
