//! Tables that somebody made on the instance: no client can know them but by the dictionary.

use crate::instance::schema::{
    Table, boolean, choice, date, date_time, decimal, email, integer, reference, secret, table, text, url,
};

pub(super) fn tables() -> Vec<Table> {
    vec![
        table("u_business_partner", "Business Partner", "u_name").columns([
            text("u_name", "Name").mandatory().at_most(80),
            text("u_region", "Region").at_most(20),
            text("sys_class_name", "Class").computed(),
        ]),
        table("u_supplier", "Supplier", "u_name")
            .extends("u_business_partner")
            .columns([
                text("u_code", "Code").mandatory().unique().at_most(10),
                choice(
                    "u_tier",
                    "Tier",
                    &[("1", "Strategic"), ("2", "Preferred"), ("3", "Approved")],
                )
                .default("3"),
                boolean("active", "Active").default("true"),
                integer("u_rating", "Rating"),
                decimal("u_budget", "Budget"),
                date("u_contract_end", "Contract end"),
                date_time("u_reviewed_on", "Reviewed on"),
                email("u_contact", "Contact"),
                url("u_portal", "Portal"),
                reference("u_owner", "Owner", "sys_user"),
                reference("u_parent", "Parent", "u_supplier"),
                secret("u_api_key", "API key"),
                text("u_number", "Number").read_only(),
                text("u_label", "Label").calculated(),
                text("u_notes", "Notes").at_most(4000),
            ]),
    ]
}
