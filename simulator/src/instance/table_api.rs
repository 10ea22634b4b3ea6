//! `/api/now/table`: verbs, parameters, headers and errors of the Table API.

use std::collections::{BTreeMap, BTreeSet};

use axum::http::{HeaderMap, Method, header};
use axum::response::Response;
use serde_json::{Map, Value, json};

use crate::instance::access_rules::ReadRules;
use crate::instance::answer::{Answer, failure, json_answer, plain, set};
use crate::instance::caller::Caller;
use crate::instance::options::{ForbiddenRead, Operation, Switches};
use crate::instance::query::{NotSimulated, Query};
use crate::instance::schema::Kind;
use crate::instance::store::{Record, value};
use crate::instance::view::{DisplayMode, Freshness, Links, Row, Shape};
use crate::instance::write_context::{Platform, Refused};
use crate::instance::{Instance, table_roles};

/// One call of the Table API or of the aggregate API.
pub(super) struct Call {
    pub(super) method: Method,
    pub(super) version: Version,
    pub(super) table: String,
    pub(super) sys_id: Option<String>,
    pub(super) params: Vec<(String, String)>,
    pub(super) headers: HeaderMap,
    pub(super) body: String,
    /// Path without query, for `Link`.
    pub(super) path: String,
    /// Whether reads are to come from before the last write.
    pub(super) freshness: Freshness,
}

/// Version in the path. They differ in what an empty list answers.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Version {
    One,
    Two,
    Latest,
}

impl Call {
    pub(super) fn param(&self, name: &str) -> Option<&str> {
        self.params
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, text)| text.as_str())
    }

    /// Python's clients send `True`.
    fn is_set(&self, name: &str) -> bool {
        self.param(name).is_some_and(|text| text.eq_ignore_ascii_case("true"))
    }

    fn number(&self, name: &str) -> Option<usize> {
        self.param(name)?.trim().parse().ok()
    }

    fn shape(&self) -> Shape {
        let fields = self.param("sysparm_fields").filter(|text| !text.is_empty());
        Shape {
            fields: fields.map(|text| text.split(',').map(|name| name.trim().to_owned()).collect()),
            display: match self.param("sysparm_display_value") {
                Some(text) if text.eq_ignore_ascii_case("all") => DisplayMode::Both,
                _ if self.is_set("sysparm_display_value") => DisplayMode::Display,
                _ => DisplayMode::Values,
            },
            links: if self.is_set("sysparm_exclude_reference_link") {
                Links::Excluded
            } else {
                Links::Included
            },
            denied: BTreeSet::new(),
        }
    }

    /// The query as one encoded query: `sysparm_query`, or else every `column=value` pair.
    pub(super) fn encoded_query(&self) -> String {
        if let Some(query) = self.param("sysparm_query") {
            return query.to_owned();
        }
        let pairs = self
            .params
            .iter()
            .filter(|(name, _)| !name.starts_with("sysparm_"))
            .map(|(name, text)| format!("{name}={text}"));
        pairs.collect::<Vec<_>>().join("^")
    }

    /// The verb that is meant, `X-http-method-override` included.
    pub(super) fn verb(&self) -> Method {
        let stated = self
            .headers
            .get("x-http-method-override")
            .and_then(|value| value.to_str().ok())
            .and_then(|name| name.to_uppercase().parse().ok());
        match stated {
            Some(verb) if self.method == Method::POST => verb,
            _ => self.method.clone(),
        }
    }

    /// What the headers are refused for, before anything is looked at.
    fn header_fault(&self, modes: &Switches) -> Option<Response> {
        let header = |name| {
            let text = self.headers.get(name).and_then(|value| value.to_str().ok());
            text.map(str::to_lowercase)
        };
        let is_json = |text: &str| text.contains("application/json") || text.contains("text/json");
        // A real instance speaks XML as well.
        let is_xml = |text: &str| text.contains("application/xml") || text.contains("text/xml");
        let no_xml = || Some(failure(501, "The simulator does not speak XML", None));
        match header(header::ACCEPT) {
            None if modes.headers_required => return Some(failure(400, "Accept header is missing", Some(""))),
            Some(accept) if is_json(&accept) || accept.contains("*/*") || accept.contains("application/*") => {}
            Some(accept) if is_xml(&accept) => return no_xml(),
            Some(accept) => {
                return Some(failure(406, "Unsupported Accept header", Some(&accept)));
            }
            None => {}
        }
        let verb = self.verb();
        let has_body = matches!(verb, Method::POST | Method::PUT | Method::PATCH);
        let (deletes, delete_needs_it) = (verb == Method::DELETE, modes.delete_needs_content_type);
        let needs_it = (has_body && modes.headers_required) || (deletes && delete_needs_it);
        match header(header::CONTENT_TYPE) {
            None if needs_it => Some(failure(400, "Content-Type header is missing", Some(""))),
            Some(content_type) if has_body && is_xml(&content_type) => no_xml(),
            Some(content_type) if (has_body || (deletes && delete_needs_it)) && !is_json(&content_type) => {
                Some(failure(415, "Unsupported Media Type", Some(&content_type)))
            }
            _ => None,
        }
    }
}

impl Instance {
    /// Answers a call whose caller is signed in.
    pub(super) fn table_call(&self, caller: &Caller, call: &Call) -> Response {
        if let Some(response) = call.header_fault(&self.modes()) {
            return response;
        }
        let schema = &self.inner.schema;
        let Some(table) = schema.table(&call.table) else {
            return failure(400, &format!("Invalid table {}", call.table), None);
        };
        let sys_id = call.sys_id.as_deref().map(|given| self.modes().quirks.sys_id(given));
        let sys_id = sys_id.as_deref();
        let operation = match (call.verb(), sys_id) {
            (Method::GET | Method::HEAD, _) => Operation::Read,
            (Method::POST, None) => Operation::Create,
            (Method::PUT | Method::PATCH, Some(_)) => Operation::Write,
            (Method::DELETE, Some(_)) => Operation::Delete,
            _ => return failure(405, "Method not supported", Some("")),
        };
        if let Err(denied) = self.may(caller, table.name, operation) {
            self.note(&denied.cause);
            if operation == Operation::Read && self.modes().forbidden_read == ForbiddenRead::NoRows {
                return match sys_id {
                    Some(_) => no_record(),
                    None => self.read_list(caller, call, table.name, false),
                };
            }
            let detail = format!(
                "ACL Exception {} Failed due to security constraints",
                table_roles::exception(operation)
            );
            return failure(403, "Operation Failed", Some(&detail));
        }
        match operation {
            Operation::Read => match sys_id {
                Some(sys_id) => self.read_one(caller, call, table.name, sys_id),
                None => self.read_list(caller, call, table.name, true),
            },
            Operation::Create => self.create(caller, call, table.name),
            Operation::Write => self.write(caller, call, table.name, sys_id.unwrap_or_default()),
            Operation::Delete => self.delete(caller, call, table.name, sys_id.unwrap_or_default()),
        }
    }

    /// `/api/now/stats/{table}` with `sysparm_count`.
    pub(super) fn stats_call(&self, caller: &Caller, call: &Call) -> Response {
        if let Some(response) = call.header_fault(&self.modes()) {
            return response;
        }
        if !matches!(call.verb(), Method::GET | Method::HEAD) {
            return failure(405, "Method not supported", Some(""));
        }
        let Some(table) = self.inner.schema.table(&call.table) else {
            return failure(400, &format!("Invalid table {}", call.table), None);
        };
        if let Err(denied) = self.may(caller, table.name, Operation::Read) {
            self.note(&denied.cause);
            return failure(
                403,
                "Operation Failed",
                Some("ACL Exception Query Failed due to security constraints"),
            );
        }
        let counted = self.with_view(self.freshness_of_list(call), |view| {
            let query = Query::parse(view, table.name, &call.encoded_query());
            query.check()?;
            let found = query.select_countable(view, table.name);
            let columns = call
                .param("sysparm_group_by")
                .unwrap_or_default()
                .split(',')
                .map(str::trim);
            let columns = columns.filter(|column| view.kind_of(table.name, column).is_some());
            let columns: Vec<_> = columns.map(str::to_owned).collect();
            // By the values of the columns, in their order.
            let mut groups: BTreeMap<Vec<String>, usize> = BTreeMap::new();
            for (_, record) in &found {
                let values = columns
                    .iter()
                    .map(|column| view.raw(table.name, record, column).unwrap_or_default());
                *groups.entry(values.collect()).or_default() += 1;
            }
            Ok((found.len(), columns, groups))
        });
        let (count, columns, groups) = match counted {
            Ok(counted) => counted,
            Err(unknown) => return self.not_simulated(&unknown),
        };
        let stats = |count: usize| {
            if call.is_set("sysparm_count") {
                json!({"count": count.to_string()})
            } else {
                json!({})
            }
        };
        if columns.is_empty() {
            return json_answer(200, &json!({"result": {"stats": stats(count)}}));
        }
        let groups = groups.into_iter().map(|(values, count)| {
            let fields: Vec<_> = columns
                .iter()
                .zip(values)
                .map(|(field, value)| json!({"field": field, "value": value}))
                .collect();
            json!({"stats": stats(count), "groupby_fields": fields})
        });
        json_answer(200, &json!({"result": groups.collect::<Vec<_>>()}))
    }

    fn read_one(&self, caller: &Caller, call: &Call, table: &str, sys_id: &str) -> Response {
        let modes = self.modes().clone();
        let rendered = self.with_view(call.freshness, |view| {
            let (_, record) = view.rows.find(view.schema, table, sys_id)?;
            let rules = ReadRules::of(view, caller, table);
            let is_hidden = table_roles::is_hidden(&modes, caller, table, record) || !rules.shows(view, table, record);
            let is_hidden = is_hidden || modes.quirks.is_uncounted(table, record);
            let denied = rules.denied;
            (!is_hidden).then(|| view.render(table, record, &Shape { denied, ..call.shape() }))
        });
        match rendered {
            Some(record) => json_answer(200, &Answer { result: record }),
            None => no_record(),
        }
    }

    /// A list; of a table that the caller may not read at all, one without rows.
    fn read_list(&self, caller: &Caller, call: &Call, table: &str, is_permitted: bool) -> Response {
        let modes = self.modes().clone();
        let limit = call.number("sysparm_limit").unwrap_or(10_000).max(1);
        let offset = call.number("sysparm_offset").unwrap_or(0);
        let found = self.with_view(self.freshness_of_list(call), |view| {
            let query = Query::parse(view, table, &call.encoded_query());
            query.check()?;
            let found = query.select_countable(view, table);
            let rules = ReadRules::of(view, caller, table);
            let is_shown = |record: &Record| {
                is_permitted
                    && !table_roles::is_hidden(&modes, caller, table, record)
                    && rules.shows(view, table, record)
            };
            let denied = rules.denied.clone();
            let shape = Shape { denied, ..call.shape() };
            // The page is cut before access rules act, so it may come out short or empty.
            let rows: Vec<Row> = found
                .iter()
                .skip(offset)
                .take(limit)
                .filter(|(_, record)| is_shown(record))
                .map(|(_, record)| view.render(table, record, &shape))
                .collect();
            Ok((found.len(), rows, query.has_script()))
        });
        let (total, rows, has_script) = match found {
            Ok(found) => found,
            Err(unknown) => return self.not_simulated(&unknown),
        };
        if has_script {
            self.note("A script in the query was compared as text; a real instance runs it");
        }
        if total == 0 && call.version == Version::One {
            return no_record();
        }
        let mut response = json_answer(200, &Answer { result: rows });
        if !call.is_set("sysparm_no_count") {
            set(&mut response, "x-total-count", &total.to_string());
        }
        if total > limit && !call.is_set("sysparm_suppress_pagination_header") {
            let link = links(&self.base_url(), call, total, limit, offset);
            set(&mut response, "link", &link);
        }
        response
    }

    /// Neither an answer of a real instance nor one that could be taken for it.
    pub(super) fn not_simulated(&self, unknown: &NotSimulated) -> Response {
        self.note(&unknown.to_string());
        failure(501, &unknown.to_string(), None)
    }

    /// Lists may lag behind a write.
    fn freshness_of_list(&self, call: &Call) -> Freshness {
        let mut state = self.state();
        if state.lagging == 0 {
            return call.freshness;
        }
        state.lagging -= 1;
        Freshness::BeforeLastWrite
    }

    fn create(&self, caller: &Caller, call: &Call, table: &'static str) -> Response {
        let mut values = match self.body_values(call, table) {
            Ok(values) => values,
            Err(response) => return *response,
        };
        if self.modes().quirks.ignores_chosen_ids {
            values.remove("sys_id");
        }
        let outcome = self.with_platform(Some(caller), |platform| {
            if let Some(refused) = self.refused_for_group(platform, caller, table, &values) {
                return Err(refused);
            }
            platform.insert(table, &values)
        });
        match outcome {
            Ok(record) => {
                let sys_id = value(&record, "sys_id").to_owned();
                let mut response = self.written(201, call, table, &sys_id);
                let location = format!("{}/api/now/table/{table}/{sys_id}", self.base_url());
                set(&mut response, "location", &location);
                response
            }
            Err(refused) => refusal(&refused),
        }
    }

    fn write(&self, caller: &Caller, call: &Call, table: &'static str, sys_id: &str) -> Response {
        let values = match self.body_values(call, table) {
            Ok(values) => values,
            Err(response) => return *response,
        };
        let Some(class) = self.visible_class(caller, table, sys_id) else {
            return no_record();
        };
        // Only columns of the table in the path are known here, even if the record has more.
        match self.with_platform(Some(caller), |platform| platform.update(class, sys_id, &values)) {
            Ok(_) => self.written(200, call, table, sys_id),
            Err(refused) => refusal(&refused),
        }
    }

    fn delete(&self, caller: &Caller, _call: &Call, table: &'static str, sys_id: &str) -> Response {
        let Some(class) = self.visible_class(caller, table, sys_id) else {
            return no_record();
        };
        match self.with_platform(Some(caller), |platform| platform.delete(class, sys_id)) {
            Ok(()) => plain(204, "application/json;charset=UTF-8", String::new()),
            Err(refused) => refusal(&refused),
        }
    }

    fn written(&self, status: u16, call: &Call, table: &str, sys_id: &str) -> Response {
        let suppressed = call
            .headers
            .get("x-no-response-body")
            .is_some_and(|value| value == "true");
        if suppressed {
            return plain(status, "application/json;charset=UTF-8", String::new());
        }
        let record = self.with_view(Freshness::Current, |view| {
            let (_, record) = view.rows.find(view.schema, table, sys_id)?;
            Some(view.render(table, record, &call.shape()))
        });
        json_answer(status, &Answer { result: record })
    }

    pub(super) fn visible_class(&self, caller: &Caller, table: &str, sys_id: &str) -> Option<&'static str> {
        let modes = self.modes().clone();
        self.with_view(Freshness::Current, |view| {
            let (class, record) = view.rows.find(view.schema, table, sys_id)?;
            let rules = ReadRules::of(view, caller, table);
            let is_hidden = table_roles::is_hidden(&modes, caller, table, record) || !rules.shows(view, table, record);
            let is_hidden = is_hidden || modes.quirks.is_uncounted(table, record);
            (!is_hidden).then_some(class)
        })
    }

    /// `user_admin` alone may not fill a group that has roles.
    fn refused_for_group(
        &self,
        platform: &Platform<'_>,
        caller: &Caller,
        table: &str,
        values: &Record,
    ) -> Option<Refused> {
        if table != "sys_user_grmember" || caller.roles.contains("admin") {
            return None;
        }
        let has_roles = platform
            .rows
            .of_class("sys_group_has_role")
            .any(|row| value(row, "group") == value(values, "group"));
        has_roles.then(|| Refused::forbidden("User Is Not Authorized To Perform This Action"))
    }

    /// The columns of the body that the table knows, as stored values.
    pub(super) fn body_values(&self, call: &Call, table: &str) -> Result<Record, Box<Response>> {
        let not_json = || {
            Box::new(failure(
                400,
                "Exception while reading request",
                Some("The payload is not valid JSON."),
            ))
        };
        let parsed = match call.body.trim() {
            // A record without values, as ServiceNow's own Python client inserts one.
            "" => Value::Object(Map::new()),
            body => serde_json::from_str(body).map_err(|_| not_json())?,
        };
        let object = match parsed {
            Value::Object(object) => object,
            // Of several records the first is used and the others are ignored (KB0534905).
            Value::Array(records) => match records.into_iter().next() {
                Some(Value::Object(object)) => object,
                _ => return Err(not_json()),
            },
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => return Err(not_json()),
        };
        let are_display_values = call.is_set("sysparm_input_display_value");
        let mut values = Record::new();
        for (name, cell) in object {
            let text = match cell {
                Value::String(text) => text,
                Value::Bool(flag) => flag.to_string(),
                Value::Number(number) => number.to_string(),
                Value::Null => String::new(),
                Value::Array(_) | Value::Object(_) => continue,
            };
            let Some(column) = self.inner.schema.column(table, &name) else {
                continue;
            };
            let text = match column.kind {
                // A one-way password is hashed only on this path; otherwise the text itself becomes the "hash".
                Kind::Password if !are_display_values && !text.is_empty() => {
                    format!("{UNHASHED}{text}")
                }
                kind if are_display_values => self.stored_for(kind, text),
                Kind::Text
                | Kind::Url
                | Kind::Email
                | Kind::Integer
                | Kind::Decimal
                | Kind::Boolean
                | Kind::Date
                | Kind::DateTime
                | Kind::Reference(_)
                | Kind::Choice(_)
                | Kind::Secret
                | Kind::Password => text,
            };
            values.insert(name, text);
        }
        Ok(values)
    }

    /// What a display value stands for.
    fn stored_for(&self, kind: Kind, text: String) -> String {
        match kind {
            Kind::Reference(target) => self.with_view(Freshness::Current, |view| view.by_display(target, &text)),
            Kind::Choice(choices) => choices
                .iter()
                .find(|(_, label)| *label == text)
                .map_or(text, |(wire, _)| (*wire).to_owned()),
            Kind::DateTime => self.with_view(Freshness::Current, |view| view.utc_of(&text)),
            Kind::Text
            | Kind::Url
            | Kind::Email
            | Kind::Integer
            | Kind::Decimal
            | Kind::Boolean
            | Kind::Date
            | Kind::Secret
            | Kind::Password => text,
        }
    }
}

/// Marks a stored password that nobody can sign in with.
pub(super) const UNHASHED: &str = "unhashed:";

fn no_record() -> Response {
    failure(
        404,
        "No Record found",
        Some("Record doesn't exist or ACL restricts the record retrieval"),
    )
}

fn refusal(refused: &Refused) -> Response {
    failure(refused.status, "Operation Failed", Some(&refused.detail))
}

/// `Link`, as recorded from a real instance: no blanks, the query not encoded, and a first page that may point before
/// itself.
fn links(base_url: &str, call: &Call, total: usize, limit: usize, offset: usize) -> String {
    let kept: Vec<_> = call
        .params
        .iter()
        .filter(|(name, _)| name != "sysparm_offset")
        .map(|(name, text)| format!("{name}={text}"))
        .collect();
    let page = |offset: i64, rel: &str| {
        let joined = kept.join("&");
        format!(
            "<{base_url}{}?{joined}&sysparm_offset={offset}>;rel=\"{rel}\"",
            call.path
        )
    };
    let signed = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
    let mut links = vec![page(0, "first")];
    if offset > 0 {
        links.push(page(signed(offset.saturating_sub(limit)), "prev"));
    } else if limit == 1 && call.encoded_query().is_empty() {
        links.push(page(-1, "prev"));
    }
    if offset + limit < total {
        links.push(page(signed(offset + limit), "next"));
    }
    links.push(page(signed((total - 1) / limit * limit), "last"));
    links.join(",")
}
