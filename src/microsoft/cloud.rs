//! National clouds: which hosts belong together.

use crate::http::{HttpError, Origin};

/// A Microsoft cloud, by the names that the azuread provider uses for `environment`.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Cloud {
    #[default]
    Global,
    /// US Government L4 (GCC High).
    UsGovernmentL4,
    /// US Government L5 (DoD).
    UsGovernmentL5,
    /// Operated by 21Vianet.
    China,
    /// Closed since 2021; kept for its name only.
    Germany,
}

/// A name that is not that of a cloud.
#[derive(Clone, Debug, thiserror::Error)]
#[error("environment {0:?} is not a known cloud")]
pub struct UnknownCloud(String);

impl UnknownCloud {
    /// What the user can do about it, in full sentences.
    #[must_use]
    pub fn remedy(&self) -> &'static str {
        "Use global (or public), usgovernmentl4 (or usgovernment), usgovernmentl5 (or dod), china or germany."
    }
}

impl Cloud {
    /// The names that messages offer.
    pub const NAMES: &[&str] = &[
        "public",
        "global",
        "usgovernment",
        "usgovernmentl4",
        "usgovernmentl5",
        "dod",
        "china",
        "germany",
    ];

    /// The cloud of this name, in any case.
    ///
    /// # Errors
    /// [`UnknownCloud`].
    pub fn parse(name: &str) -> Result<Self, UnknownCloud> {
        match name.trim().to_ascii_lowercase().as_str() {
            "global" | "public" | "azurepubliccloud" | "" => Ok(Self::Global),
            "usgovernment" | "usgovernmentl4" | "azureusgovernment" => Ok(Self::UsGovernmentL4),
            "usgovernmentl5" | "dod" => Ok(Self::UsGovernmentL5),
            "china" | "azurechinacloud" => Ok(Self::China),
            "germany" | "german" | "azuregermancloud" => Ok(Self::Germany),
            _ => Err(UnknownCloud(name.to_owned())),
        }
    }

    /// Where users and applications of this cloud sign in.
    #[must_use]
    pub fn login_url(self) -> &'static str {
        match self {
            Self::Global => "https://login.microsoftonline.com",
            Self::UsGovernmentL4 | Self::UsGovernmentL5 => "https://login.microsoftonline.us",
            Self::China => "https://login.chinacloudapi.cn",
            Self::Germany => "https://login.microsoftonline.de",
        }
    }

    /// The admin center that takes bearer tokens. Proven for the worldwide cloud only; the others are its portals.
    #[must_use]
    pub fn admin_url(self) -> &'static str {
        match self {
            Self::Global => "https://admin.microsoft.com",
            Self::UsGovernmentL4 => "https://portal.office365.us",
            Self::UsGovernmentL5 => "https://portal.apps.mil",
            Self::China => "https://portal.partner.microsoftonline.cn",
            Self::Germany => "https://portal.office.de",
        }
    }
}

/// The hosts in use: the cloud's own, or the ones that the configuration puts in their place.
#[derive(Clone, Debug)]
pub struct Hosts {
    /// Entra's authority host.
    pub login: Origin,
    pub admin: Origin,
    /// The resource of tokens for the admin center: an address that identifies it, not one that is called.
    pub admin_resource: String,
}

impl Hosts {
    /// The hosts of `cloud`, unless overridden by `login_url` and `admin_url`.
    ///
    /// # Errors
    /// [`HttpError::BadUrl`] and [`HttpError::InsecureUrl`] for an override that is not a valid address.
    pub fn new(cloud: Cloud, login_url: Option<&str>, admin_url: Option<&str>) -> Result<Self, HttpError> {
        let admin = Origin::parse(admin_url.unwrap_or(cloud.admin_url()))?;
        // The portal's second host is a different application and takes no tokens of the first one.
        let admin_resource = match admin.base().host_str() {
            Some(SECOND_PORTAL) => format!("https://{SECOND_PORTAL}"),
            Some(_) | None => cloud.admin_url().to_owned(),
        };
        let login = Origin::parse(login_url.unwrap_or(cloud.login_url()))?;
        Ok(Self {
            login,
            admin,
            admin_resource,
        })
    }
}

/// Application 618dd325-23f6-4b6f-8380-4df78026e39b, where `admin.microsoft.com` is 00000006-0000-0ff1-ce00-000000000000.
const SECOND_PORTAL: &str = "admin.cloud.microsoft";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_override_changes_where_we_call_but_not_what_we_ask_for() {
        let hosts = Hosts::new(Cloud::Global, Some("http://127.0.0.1:1"), Some("https://127.0.0.1:2")).unwrap();

        assert_eq!(hosts.login.host(), "127.0.0.1:1");
        assert_eq!(hosts.admin_resource, "https://admin.microsoft.com");
    }

    #[test]
    fn every_documented_name_is_known_and_others_are_refused() {
        for name in [
            "global",
            "Public",
            "usgovernment",
            "usgovernmentl4",
            "usgovernmentl5",
            "dod",
            "china",
            "german",
        ] {
            let cloud = Cloud::parse(name).unwrap();
            assert!(Hosts::new(cloud, None, None).is_ok(), "{name}");
        }
        assert!(Cloud::parse("mars").unwrap_err().to_string().contains("mars"));
    }
}
