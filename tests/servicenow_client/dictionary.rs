//! What the instance says of its tables, and what it does not say.

use servicenow_provider::servicenow::{Gap, Table, TableError, ValueProblem, ValueType};

use super::*;

fn supplier() -> Table {
    Table::named("u_supplier").unwrap()
}

#[tokio::test]
async fn a_table_has_its_own_columns_and_those_of_its_ancestors() {
    let simulator = simulator().await;
    let session = session(&simulator);

    let asked = (0..20).map(|_| session.dictionary(supplier()));
    let dictionaries = futures_util::future::join_all(asked).await;

    let dictionary = dictionaries[0].as_ref().unwrap();
    let lineage: Vec<&str> = dictionary.lineage.iter().map(Table::name).collect();
    assert_eq!(lineage, ["u_supplier", "u_business_partner"]);
    assert!(
        dictionary.is_complete() && dictionary.knows_overrides(),
        "{:?}",
        dictionary.gaps
    );
    assert_eq!(dictionary.display_column().unwrap().name(), "u_name");
    let type_of = |name: &str| dictionary.column(name).map(|column| column.value_type);
    for (name, expected) in [
        ("u_code", Some(ValueType::Text)),
        ("active", Some(ValueType::Boolean)),
        ("u_rating", Some(ValueType::Integer)),
        ("u_budget", Some(ValueType::Decimal)),
        ("u_contract_end", Some(ValueType::Date)),
        ("u_reviewed_on", Some(ValueType::DateTime)),
        ("u_owner", Some(ValueType::Reference)),
        ("u_api_key", Some(ValueType::Secret { one_way: false })),
        ("u_region", Some(ValueType::Text)),
        ("sys_created_on", Some(ValueType::DateTime)),
        ("u_colour", None),
    ] {
        assert_eq!(type_of(name), expected, "{name}");
    }
    let column = |name: &str| dictionary.column(name).unwrap();
    assert!(column("u_code").is_mandatory && column("u_name").is_mandatory);
    assert!(column("u_number").is_read_only && !column("u_number").is_calculated);
    assert!(column("u_label").is_calculated);
    assert_eq!(column("u_owner").reference.unwrap().name(), "sys_user");
    assert_eq!(simulator.instance().requests().len(), 3, "once, however many ask");
}

#[tokio::test]
async fn values_are_checked_by_the_type_of_their_column() {
    let simulator = simulator().await;
    let session = session(&simulator);
    let dictionary = session.dictionary(supplier()).await.unwrap();

    for (column, value, expected) in [
        ("active", "true", None),
        ("active", "1", None),
        ("active", "yes", Some(ValueProblem::NotBoolean)),
        ("u_rating", "7", None),
        ("u_rating", "7.5", Some(ValueProblem::NotInteger)),
        ("u_budget", "12.50", None),
        ("u_budget", "12,50", Some(ValueProblem::NotDecimal)),
        ("u_budget", "NaN", Some(ValueProblem::NotDecimal)),
        ("u_contract_end", "2026-02-28", None),
        ("u_contract_end", "2026-02-30", Some(ValueProblem::NotDate)),
        ("u_contract_end", "28.02.2026", Some(ValueProblem::NotDate)),
        ("u_reviewed_on", "2026-02-28 23:59:59", None),
        ("u_reviewed_on", "2026-02-28T23:59:59Z", Some(ValueProblem::NotDateTime)),
        ("u_code", "0123456789", None),
        (
            "u_code",
            "0123456789a",
            Some(ValueProblem::TooLong { length: 11, limit: 10 }),
        ),
        ("u_code", "", None),
    ] {
        assert_eq!(
            dictionary.column(column).unwrap().problem(value),
            expected,
            "{column} = {value:?}"
        );
    }
}

#[tokio::test]
async fn a_table_may_change_what_it_inherits() {
    let simulator = simulator().await;
    let overrides = [
        ("name", "u_supplier"),
        ("base_table", "u_business_partner"),
        ("element", "u_name"),
        ("mandatory_override", "true"),
        ("mandatory", "false"),
    ];
    simulator.instance().put("sys_dictionary_override", &overrides);
    let session = session(&simulator);

    let child = session.dictionary(supplier()).await.unwrap();
    let parent = session
        .dictionary(Table::named("u_business_partner").unwrap())
        .await
        .unwrap();

    assert!(!child.column("u_name").unwrap().is_mandatory);
    assert!(parent.column("u_name").unwrap().is_mandatory);
}

#[tokio::test]
async fn what_the_account_may_not_read_is_a_gap() {
    for (hidden, expected) in [
        ("sys_db_object", vec![Gap::Ancestors]),
        ("sys_dictionary_override", vec![]),
        (
            "sys_dictionary",
            vec![Gap::Columns(
                "sys_dictionary shows no column of u_supplier to the account".to_owned(),
            )],
        ),
    ] {
        let simulator = simulator().await;
        simulator.instance().put(
            "sys_dictionary_override",
            &[("name", "u_supplier"), ("element", "u_name")],
        );
        simulator.instance().switches(|modes| {
            modes.quirks.hidden_tables.insert(hidden.to_owned());
        });
        let session = session(&simulator);
        let dictionary = session.dictionary(supplier()).await.unwrap();
        let expected = if hidden == "sys_dictionary_override" {
            vec![Gap::Overrides]
        } else {
            expected
        };
        assert_eq!(dictionary.gaps, expected, "{hidden}");
    }

    let simulator = simulator().await;
    let row = simulator
        .instance()
        .find("sys_dictionary", "element", "u_budget")
        .remove(0);
    simulator.instance().switches(|modes| {
        modes.hidden_rows.insert(row["sys_id"].clone());
    });
    let dictionary = session(&simulator).dictionary(supplier()).await.unwrap();
    assert!(!dictionary.is_complete());
    assert!(dictionary.column("u_code").is_some() && dictionary.column("u_budget").is_none());
}

#[tokio::test]
async fn a_table_that_is_not_there_is_told_from_one_that_is_hidden() {
    let simulator = simulator().await;
    let session = session(&simulator);
    let missing = session.dictionary(Table::named("u_suplier").unwrap()).await;
    assert!(matches!(missing, Err(TableError::NoSuchTable { .. })), "{missing:?}");
}
