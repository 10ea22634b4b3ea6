//! The rights that an account needs for what is behind a resource, for the reference pages.

use crate::plugin::Need;
use crate::servicenow::Table;

/// The rights for these tables; those with the same role stand together.
pub(crate) fn of_tables(tables: &[Table]) -> Vec<Need> {
    let mut needs: Vec<Need> = Vec::new();
    for table in tables {
        let role = with_roles_as_code(table.role());
        let right = match table.origin() {
            Some(origin) => format!("role {role}; comes with {origin}"),
            None => format!("role {role}"),
        };
        let purpose = format!("table `{table}`");
        match needs.iter_mut().find(|need| need.right == right) {
            Some(need) => {
                need.purpose.push_str(", ");
                need.purpose.push_str(&format!("`{table}`"));
            }
            None => needs.push(Need::new(right, purpose)),
        }
    }
    needs
}

/// The rights to read these tables. Roles that may change a table may read it; others often may as well.
pub(crate) fn to_read(tables: &[Table]) -> Vec<Need> {
    of_tables(tables)
        .into_iter()
        .map(|need| Need::new(format!("read access, such as {}", need.right), need.purpose))
        .collect()
}

/// The rights for the support integration of a tenant, as far as they are known.
pub(crate) fn of_admin_center() -> Vec<Need> {
    vec![Need::new(
        "a person's sign-in (refresh or access token) with an administrator role of the tenant: Microsoft's page \
         asks for Global Administrator, older versions of it for Helpdesk or Service Support Administrator. \
         Application-only tokens are probably rejected",
        "the support integration in the Microsoft 365 admin center, whose API is not published",
    )]
}

/// A table's note on roles, with the names of roles as code.
fn with_roles_as_code(note: &str) -> String {
    let is_role = |word: &str| word.contains('_') || matches!(word, "admin" | "itil");
    let code = |word: &str| match word.trim_matches(|c: char| !c.is_ascii_lowercase()) {
        role if is_role(role) => word.replace(role, &format!("`{role}`")),
        _ => word.to_owned(),
    };
    note.split(' ').map(code).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_are_shown_as_code() {
        assert_eq!(
            with_roles_as_code("admin (oauth_admin from Australia on)"),
            "`admin` (`oauth_admin` from Australia on)"
        );
    }
}
