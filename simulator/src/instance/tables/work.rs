//! What the integrations work on: incidents, knowledge, catalog.

use crate::instance::schema::{Table, boolean, choice, date_time, reference, table, text};

pub(super) fn tables() -> Vec<Table> {
    vec![
        table("task", "Task", "number").columns([
            text("number", "Number"),
            text("short_description", "Short description"),
            text("description", "Description"),
            choice(
                "state",
                "State",
                &[
                    ("1", "New"),
                    ("2", "In Progress"),
                    ("3", "On Hold"),
                    ("6", "Resolved"),
                    ("7", "Closed"),
                ],
            )
            .default("1"),
            choice("impact", "Impact", LEVELS).default("3"),
            choice("urgency", "Urgency", LEVELS).default("3"),
            choice("priority", "Priority", LEVELS).default("5"),
            boolean("active", "Active").default("true"),
            reference("opened_by", "Opened by", "sys_user"),
            date_time("opened_at", "Opened"),
            reference("assigned_to", "Assigned to", "sys_user"),
            reference("assignment_group", "Assignment group", "sys_user_group"),
            text("correlation_id", "Correlation ID"),
            text("work_notes", "Work notes"),
            text("comments", "Additional comments"),
            text("sys_class_name", "Task type").computed(),
            reference("sys_domain", "Domain", "sys_user_group").default("global"),
        ]),
        table("incident", "Incident", "number").extends("task").columns([
            reference("caller_id", "Caller", "sys_user"),
            text("category", "Category").default("inquiry"),
            text("subcategory", "Subcategory"),
            text("close_code", "Close code"),
            text("close_notes", "Close notes"),
            text("severity", "Severity").default("3"),
        ]),
        table("kb_knowledge", "Knowledge", "number").columns([
            text("number", "Number"),
            text("short_description", "Short description"),
            text("text", "Article body"),
            text("workflow_state", "Workflow").default("published"),
            boolean("active", "Active").default("true"),
        ]),
        table("user_criteria", "User Criteria", "name")
            .application_file()
            .columns([text("name", "Name"), boolean("active", "Active").default("true")]),
        table("sc_cat_item", "Catalog Item", "name")
            .application_file()
            .columns([
                text("name", "Name"),
                text("short_description", "Short description"),
                boolean("active", "Active").default("true"),
            ]),
    ]
}

const LEVELS: &[(&str, &str)] = &[
    ("1", "1 - High"),
    ("2", "2 - Medium"),
    ("3", "3 - Low"),
    ("4", "4 - Low"),
    ("5", "5 - Planning"),
];
