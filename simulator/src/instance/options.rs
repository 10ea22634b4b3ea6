//! How an instance starts, and the modes that a test may switch while it runs.
//!
//! A mode exists for every behaviour of which the sources disagree or say nothing: what the provider relies on must
//! hold in all of them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::faults::Faults;
use crate::instance::quirks::Quirks;
use crate::instance::release::Release;

/// How an instance starts.
#[derive(Clone)]
pub struct Options {
    /// Decides which columns exist and which roles some tables ask for.
    pub release: Release,
    /// User name of the seeded administrator.
    pub admin_user: String,
    /// Password of the seeded administrator.
    pub admin_password: String,
    /// Whether the template rows of `oidc_provider_configuration` ("Azure AD" and others) exist.
    pub template_providers: bool,
    /// Whether the Microsoft 365 support application, its roles and its scope exist.
    pub application_installed: bool,
    /// Faults in front of everything that the instance serves.
    pub faults: Faults,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            release: Release::Zurich,
            admin_user: "admin".to_owned(),
            admin_password: "simulated-admin-password".to_owned(),
            template_providers: true,
            application_installed: true,
            faults: Faults::new(),
        }
    }
}

/// What becomes of the OAuth profile that the form creates with an entity.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum DefaultProfile {
    /// Created in the same moment.
    Created,
    /// Only the form creates one, the Table API does not.
    NotCreated,
    /// Created this much later.
    Delayed(Duration),
}

/// What becomes of a `sys_scope` given in an insert.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ExplicitScope {
    /// Stored.
    Accepted,
    /// Replaced by the user's current application without a word.
    Ignored,
    /// 403 if it differs from the user's current application.
    Refused,
}

/// What a secret reads as. Never its value.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SecretRead {
    /// The column is missing from the answer.
    Absent,
    /// `""`, as if none were set.
    Empty,
    /// Asterisks.
    Masked,
    /// Cipher text, another one at each read.
    Encrypted,
}

/// How a duplicate is refused. The shape over REST is not documented.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Refusal {
    /// 403 `Operation Failed`.
    Forbidden,
    /// 400 `Operation Failed`.
    BadRequest,
}

/// How a 401 is spelt.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Unauthorized {
    /// `User is not authenticated`.
    Newer,
    /// `User Not Authenticated`.
    Older,
}

/// What a list of a table answers that the account may not read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ForbiddenRead {
    /// 403.
    Refused,
    /// 200 without rows; the count is that of all of them.
    NoRows,
}

/// What a client does to a record.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Operation {
    /// GET of a list, a record or a count.
    Read,
    /// POST.
    Create,
    /// PUT and PATCH.
    Write,
    /// DELETE.
    Delete,
}

/// A business rule or data policy that aborts an operation.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AbortRule {
    /// Table on which it acts.
    pub table: String,
    /// Operation that it aborts.
    pub operation: Operation,
    /// Its name, the only thing of it that the caller learns.
    pub name: String,
}

/// The modes. Every field may change while the instance runs.
#[derive(Clone, Debug)]
pub struct Switches {
    /// Profile of an entity inserted over REST. By hand it is always created.
    /// Facts: `default-profile-over-rest`.
    pub default_profile: DefaultProfile,
    /// `type` of an OIDC entity inserted without one.
    /// Facts: `oidc-entity-type-over-rest`.
    pub oidc_entity_type: String,
    /// Treatment of a given `sys_scope`.
    /// Facts: `explicit-scope-is-kept`.
    pub explicit_scope: ExplicitScope,
    /// What secrets read as.
    /// Facts: `secret-form-on-read`, `secrets-are-not-read-back`.
    pub secret_read: SecretRead,
    /// Whether two configurations may not share a metadata URL.
    /// Facts: `metadata-url-is-unique`.
    pub unique_oidc_url: bool,
    /// Shape of the refusal of duplicates.
    /// Facts: `status-of-a-duplicate`.
    pub duplicate: Refusal,
    /// Creating an `oidc_provider_configuration` over REST answers 403.
    /// Facts: `oidc-configuration-create`.
    pub configuration_create_refused: bool,
    /// Several role rows per user and role, instead of one with a count (Role Management V2).
    /// Facts: `role-rows-per-pair`.
    pub legacy_role_rows: bool,
    /// Role grants answer 403: elevation to `security_admin` is bound to a session of the UI.
    /// Facts: `role-grants-over-rest`.
    pub grants_need_elevation: bool,
    /// Deleting an entity deletes its profiles, deleting a user its grants and memberships.
    /// Facts: `cascade-of-deletes`.
    pub cascade: bool,
    /// `glide.invalid_query.returns_no_rows`.
    /// Facts: `invalid-query-terms`.
    pub invalid_query_returns_no_rows: bool,
    /// Spelling of a 401.
    /// Facts: `words-of-401`.
    pub unauthorized: Unauthorized,
    /// Request targets longer than this many bytes get 414. ServiceNow's own Python client sends up to 10,000.
    /// Facts: `long-addresses-are-refused`.
    pub uri_limit: usize,
    /// Basic authentication asks for `snc_basic_auth_api_access`, as on newly provisioned instances.
    /// Facts: `basic-needs-a-role`.
    pub basic_auth_role: bool,
    /// A request without `Accept`, and a write without `Content-Type`, is answered with 400.
    ///
    /// The documentation contradicts itself: its page on REST says that both headers are required, its page on the Table
    /// API that both default to `application/json`. The default here is the second, since the tests of ServiceNow's own
    /// Python client send neither and expect JSON.
    /// Facts: `headers-asked-for`.
    pub headers_required: bool,
    /// DELETE asks for a `Content-Type`, as documented. ServiceNow's own Python client sends none and works.
    /// Facts: `headers-asked-for`.
    pub delete_needs_content_type: bool,
    /// The REST API itself asks for `snc_platform_rest_api_access`.
    /// Facts: `rest-needs-a-role`.
    pub rest_api_role: bool,
    /// Columns (table, column) whose value in a write is dropped without a word.
    /// Facts: `refused-columns-are-dropped`.
    pub write_denied: BTreeSet<(String, String)>,
    /// Columns (table, column) that are missing from every answer.
    /// Facts: `hidden-columns-are-left-out`.
    pub read_denied: BTreeSet<(String, String)>,
    /// What a list answers that the account may not read. Releases differ.
    /// Facts: `forbidden-lists-may-be-empty`.
    pub forbidden_read: ForbiddenRead,
    /// Records, by `sys_id`, that no caller of the REST API sees.
    /// Facts: `hidden-rows-are-counted`.
    pub hidden_rows: BTreeSet<String>,
    /// Rules that abort operations.
    /// Facts: `business-rules-abort-with-403`.
    pub abort_rules: Vec<AbortRule>,
    /// Requests that each second of the clock allows; more get 429.
    /// Facts: `rate-limit-is-429`.
    pub requests_per_second: Option<u32>,
    /// Roles of which one is needed, per table and operation, in place of the built-in ones. An empty list: nobody.
    /// Facts: `acl-refusal-is-403`.
    pub table_roles: BTreeMap<(String, Operation), Vec<String>>,
    /// Offset of the system time zone from UTC in hours; display values of date-times use it.
    /// Facts: `date-times-are-utc`.
    pub time_zone_offset: i8,
    /// Seconds by which the clock of the instance is ahead of the real one.
    /// Facts: `date-header-tells-the-clock`.
    pub clock_offset: i64,
    /// Address that requests seem to come from, for `ip_access`.
    /// Facts: `address-rules-refuse-callers`.
    pub client_address: String,
    /// Users by subject of their client certificate.
    /// Facts: `client-certificates-sign-in`.
    pub certificate_users: BTreeMap<String, String>,
    /// A token with an `scp` claim needs a matching `oauth_entity_scope`; reported once, contradicted elsewhere.
    /// Facts: `scp-claim-needs-scope`.
    pub scp_needs_scope_row: bool,
    /// Auth scope that the REST APIs ask of every token (`sys_api_access_scope`); `useraccount` opens them as well.
    /// Facts: `inbound-scope-403`.
    pub api_scope: Option<String>,
    /// What is made of records beyond storing them.
    /// Facts: `texts-are-kept`.
    pub quirks: Quirks,
}

impl Default for Switches {
    fn default() -> Self {
        Self {
            default_profile: DefaultProfile::Created,
            oidc_entity_type: "oauth_provider".to_owned(),
            explicit_scope: ExplicitScope::Accepted,
            secret_read: SecretRead::Encrypted,
            unique_oidc_url: true,
            duplicate: Refusal::Forbidden,
            configuration_create_refused: false,
            legacy_role_rows: false,
            grants_need_elevation: false,
            cascade: true,
            invalid_query_returns_no_rows: false,
            unauthorized: Unauthorized::Newer,
            uri_limit: 16_384,
            basic_auth_role: false,
            headers_required: false,
            delete_needs_content_type: false,
            rest_api_role: false,
            write_denied: BTreeSet::new(),
            read_denied: BTreeSet::new(),
            forbidden_read: ForbiddenRead::Refused,
            hidden_rows: BTreeSet::new(),
            abort_rules: Vec::new(),
            requests_per_second: None,
            table_roles: BTreeMap::new(),
            time_zone_offset: -8,
            clock_offset: 0,
            client_address: "127.0.0.1".to_owned(),
            certificate_users: BTreeMap::new(),
            scp_needs_scope_row: false,
            api_scope: None,
            quirks: Quirks::default(),
        }
    }
}
