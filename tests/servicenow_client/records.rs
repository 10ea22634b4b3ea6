//! Records made, read, found, changed and removed.

use futures_util::future::join_all;
use servicenow_provider::servicenow::tables::{
    every, oauth_entity, oauth_oidc_entity, oidc_provider_configuration, sys_db_object,
};
use servicenow_provider::servicenow::{Cause, Cell, Deleted, Origin, TableError, UnexpectedResponse, Update};
use servicenow_simulator::faults::{Fault, Matcher};
use servicenow_simulator::instance::{self, Refusal, Release, SecretRead};

use super::*;

fn provider(client_id: &str) -> Insert<'static> {
    let natural_key = Query::equals(oauth_entity::CLIENT_ID, client_id)
        .unwrap()
        .and(Query::equals(every::SYS_CLASS_NAME, "oauth_entity").unwrap());
    Insert {
        table: oauth_entity::TABLE,
        row: Row::new()
            .set(oauth_entity::NAME, "Microsoft 365")
            .set(oauth_entity::TYPE, oauth_entity::TYPE_PROVIDER)
            .set(oauth_entity::CLIENT_ID, client_id)
            .set(oauth_entity::CLIENT_SECRET, Secret::from("a secret & more"))
            .set(
                oauth_entity::TOKEN_URL,
                "https://login.microsoftonline.com/t/oauth2/token",
            )
            .set(oauth_entity::SYS_SCOPE, "global"),
        read: oauth_entity::COLUMNS,
        natural_key: Some(natural_key),
        input: InputMode::Stored,
    }
}

#[tokio::test]
async fn a_record_lives_from_insert_to_delete() {
    let simulator = simulator().await;
    let session = session(&simulator);
    for secret_read in [
        SecretRead::Absent,
        SecretRead::Empty,
        SecretRead::Masked,
        SecretRead::Encrypted,
    ] {
        simulator.instance().switches(|modes| modes.secret_read = secret_read);

        let written = session.insert(provider("app-1")).await.unwrap();
        assert_eq!(written.mismatches, []);
        let sys_id = written.record.sys_id().clone();
        let stored = simulator.instance().record("oauth_entity", sys_id.as_str()).unwrap();
        assert_eq!(
            (stored["type"].as_str(), stored["client_secret"].as_str()),
            ("oauth_provider", "a secret & more")
        );

        let row = Row::new().set(oauth_entity::ACTIVE, false);
        let update = Update {
            table: oauth_entity::TABLE,
            sys_id: &sys_id,
            row,
            read: &[],
            input: InputMode::Stored,
        };
        assert_eq!(session.update(update).await.unwrap().mismatches, []);
        let stored = simulator.instance().record("oauth_entity", sys_id.as_str()).unwrap();
        assert_eq!(
            (stored["active"].as_str(), stored["client_secret"].as_str()),
            ("false", "a secret & more")
        );

        let found = session
            .get_opt(oauth_entity::TABLE, &sys_id, oauth_entity::COLUMNS)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(found.bool(oauth_entity::ACTIVE), Cell::Value(false));
        assert_eq!(found.integer(oauth_entity::ACCESS_TOKEN_LIFESPAN), Cell::Value(1800));
        assert_eq!(found.reference(oauth_entity::SYS_SCOPE), Cell::Value("global"));
        let key = provider("app-1").natural_key.unwrap();
        assert!(
            session
                .find_unique(oauth_entity::TABLE, &key, &[])
                .await
                .unwrap()
                .is_some()
        );

        assert_eq!(
            session.delete(oauth_entity::TABLE, &sys_id).await.unwrap(),
            Deleted::Removed
        );
        assert_eq!(
            session.delete(oauth_entity::TABLE, &sys_id).await.unwrap(),
            Deleted::WasGone
        );
        assert_eq!(session.get_opt(oauth_entity::TABLE, &sys_id, &[]).await.unwrap(), None);
    }
}

#[tokio::test]
async fn columns_that_are_not_kept_are_named_with_their_cause() {
    let options = instance::Options {
        release: Release::Yokohama,
        ..instance::Options::default()
    };
    let simulator = started(Options {
        instance_scheme: Scheme::Http,
        instance: options,
        ..Options::default()
    })
    .await;
    simulator.instance().switches(|modes| {
        modes.write_denied.insert(("sys_user".to_owned(), "title".to_owned()));
        modes.read_denied.insert(("sys_user".to_owned(), "email".to_owned()));
    });
    let mut insert = user("robot");
    insert.row = insert
        .row
        .set(sys_user::TITLE, "Robot")
        .set(sys_user::EMAIL, "r@example.com")
        .set(sys_user::IDENTITY_TYPE, "machine");

    let written = session(&simulator).insert(insert).await.unwrap();

    let causes: Vec<_> = written.mismatches.iter().map(|m| (m.column.name(), m.cause)).collect();
    let expected = [
        ("title", Cause::FieldAcl),
        ("email", Cause::NotVisible),
        ("identity_type", Cause::UnknownColumn),
    ];
    assert_eq!(causes, expected);
}

#[tokio::test]
async fn a_password_is_set_in_a_request_of_its_own() {
    let simulator = simulator().await;
    let session = session(&simulator);
    let made = session.insert(user("robot")).await.unwrap();
    let sys_id = made.record.sys_id();

    let row = Row::new().set(sys_user::USER_PASSWORD, Secret::from("a password"));
    let update = Update {
        table: sys_user::TABLE,
        sys_id,
        row,
        read: &[],
        input: InputMode::Display,
    };
    session.update(update).await.unwrap();

    let robot = SignIn::Basic {
        username: "robot".to_owned(),
        password: Secret::from("a password"),
    };
    let robot = instance(&simulator, robot).at(limits());
    let error = robot.insert(user("another")).await.unwrap_err();
    assert!(
        matches!(error, TableError::Refused { .. }),
        "signed in, but without a role: {error}"
    );
}

#[tokio::test]
async fn an_oidc_record_carries_the_columns_of_both_tables() {
    let simulator = simulator().await;
    let session = session(&simulator);
    let configuration = Insert {
        table: oidc_provider_configuration::TABLE,
        row: Row::new()
            .set(oidc_provider_configuration::NAME, "Contoso Azure")
            .set(
                oidc_provider_configuration::OIDC_URL,
                "https://login.example.com/t/.well-known/openid-configuration",
            )
            .set(oidc_provider_configuration::USER_CLAIM, "appid")
            .set(oidc_provider_configuration::USER_FIELD, "user_name")
            .set(oidc_provider_configuration::ENABLE_JTI_VERIFICATION, false),
        read: oidc_provider_configuration::COLUMNS,
        natural_key: None,
        input: InputMode::Stored,
    };
    let configuration = session.insert(configuration).await.unwrap();
    assert_eq!(configuration.mismatches, []);

    let entity = Insert {
        table: oauth_oidc_entity::TABLE,
        row: Row::new()
            .set(oauth_oidc_entity::NAME, "Microsoft 365")
            .set(oauth_oidc_entity::CLIENT_ID, "api://app")
            .set(oauth_oidc_entity::CONFIGURATION, configuration.record.sys_id()),
        read: oauth_oidc_entity::COLUMNS,
        natural_key: None,
        input: InputMode::Stored,
    };
    let entity = session.insert(entity).await.unwrap();

    assert_eq!(entity.mismatches, []);
    assert_eq!(entity.record.integer(oauth_oidc_entity::CLOCK_SKEW), Cell::Value(300));
    assert_eq!(
        entity.record.text(oauth_oidc_entity::SYS_CLASS_NAME),
        Cell::Value("oauth_oidc_entity")
    );
}

#[tokio::test]
async fn a_duplicate_is_named_in_both_shapes_of_its_refusal() {
    let simulator = simulator().await;
    let session = session(&simulator);
    let first = session.insert(user("robot")).await.unwrap();
    for shape in [Refusal::Forbidden, Refusal::BadRequest] {
        simulator.instance().switches(|modes| modes.duplicate = shape);

        let error = session.insert(user("robot")).await.unwrap_err();

        let TableError::Duplicate {
            existing: Some(existing),
            ..
        } = &error
        else {
            panic!("{error:?}")
        };
        assert_eq!(existing, first.record.sys_id());
    }
    assert_eq!(simulator.instance().find("sys_user", "user_name", "robot").len(), 1);
}

#[tokio::test]
async fn a_record_is_found_as_the_data_base_compares() {
    let simulator = simulator().await;
    let robot = simulator.instance().put("sys_user", &[("user_name", "Robot")]);
    simulator.instance().switches(|modes| modes.quirks.ignores_case = true);

    let found = session(&simulator)
        .find_unique(sys_user::TABLE, &user("robot").natural_key.unwrap(), &[])
        .await;

    assert_eq!(found.unwrap().unwrap().sys_id().as_str(), robot);
}

/// Alone and in company, by sys_id, by key and by name, before a change and before a removal.
#[tokio::test]
async fn a_hidden_record_is_never_absent() {
    let simulator = simulator().await;
    let session = session(&simulator);
    let mut made = Vec::new();
    for name in ["robot-0", "robot-1", "robot-2"] {
        made.push(session.insert(user(name)).await.unwrap().record.sys_id().clone());
    }
    let hidden = made[1].clone();
    simulator
        .instance()
        .switches(|modes| _ = modes.hidden_rows.insert(hidden.as_str().to_owned()));
    let is_hidden = |error: TableError| {
        assert!(matches!(error, TableError::Hidden { .. }), "{error:?}");
        error.to_string()
    };

    let alone = session.get_opt(sys_user::TABLE, &hidden, &[]).await;
    assert!(is_hidden(alone.unwrap_err()).contains(hidden.as_str()));
    let finds = made.iter().map(|sys_id| session.get_opt(sys_user::TABLE, sys_id, &[]));
    let mut found = join_all(finds).await;
    is_hidden(found.remove(1).unwrap_err());
    assert!(found.into_iter().all(|found| found.unwrap().is_some()));

    let keys: Vec<Query> = (0..3)
        .map(|number| Query::equals(sys_user::USER_NAME, format!("robot-{number}")).unwrap())
        .collect();
    is_hidden(session.find_existing(sys_user::TABLE, &keys[1], &[]).await.unwrap_err());
    is_hidden(session.find_unique(sys_user::TABLE, &keys[1], &[]).await.unwrap_err());
    let finds = keys.iter().map(|key| session.find_existing(sys_user::TABLE, key, &[]));
    let mut found = join_all(finds).await;
    is_hidden(found.remove(1).unwrap_err());
    assert!(found.into_iter().all(|found| found.unwrap().is_some()));

    let users = session.users();
    is_hidden(users.find("robot-1").await.unwrap_err());
    let mut found = join_all(["robot-0", "robot-1", "robot-2"].map(|name| users.find(name))).await;
    is_hidden(found.remove(1).unwrap_err());
    assert!(found.into_iter().all(|found| found.unwrap().is_some()));

    let update = Update {
        table: sys_user::TABLE,
        sys_id: &hidden,
        row: Row::new().set(sys_user::ACTIVE, false),
        read: &[],
        input: InputMode::Stored,
    };
    is_hidden(session.update(update).await.unwrap_err());
    is_hidden(session.delete(sys_user::TABLE, &hidden).await.unwrap_err());
    assert!(simulator.instance().record("sys_user", hidden.as_str()).is_some());
}

#[tokio::test]
async fn hidden_rows_are_an_error_and_pages_go_on_behind_them() {
    let simulator = simulator().await;
    let session = session(&simulator);
    let mut made = Vec::new();
    for number in 0..5 {
        made.push(
            session
                .insert(user(&format!("robot-{number}")))
                .await
                .unwrap()
                .record
                .sys_id()
                .clone(),
        );
    }
    made.sort();
    simulator.instance().switches(|modes| {
        modes
            .hidden_rows
            .extend(made[..2].iter().map(|sys_id| sys_id.as_str().to_owned()));
    });
    let robots = Query::starts_with(sys_user::USER_NAME, "robot-").unwrap();

    let mut pages = session.pages(sys_user::TABLE, &robots, &[], 2);
    let mut seen = Vec::new();
    while let Some(page) = pages.next().await.unwrap() {
        seen.extend(page.iter().map(|record| record.sys_id().clone()));
    }
    assert_eq!(seen, made[2..]);

    // The first rows of a list are hidden: what was looked at, and what was not, is told.
    let none = session.first(sys_user::TABLE, &robots, &[], 1, 1).await.unwrap();
    assert_eq!((none.records.len(), none.hidden, none.passed_over), (0, 1, Some(1)));
    let one = session.first(sys_user::TABLE, &robots, &[], 1, 1000).await.unwrap();
    assert_eq!(one.records[0].sys_id(), &made[2]);
    assert_eq!((one.records.len(), one.total, one.passed_over), (1, Some(5), None));

    let hidden = Query::any_of(every::SYS_ID, &made[..2]).unwrap();
    let error = session.select(sys_user::TABLE, &hidden, &[]).await.unwrap_err();
    assert!(matches!(error, TableError::Hidden { .. }), "{error}");
}

#[tokio::test]
async fn a_query_with_an_unknown_column_does_not_mean_every_row() {
    let simulator = simulator().await;
    let query = Query::user("nosuch_column=1").unwrap();

    let error = session(&simulator)
        .select(sys_db_object::TABLE, &query, &[])
        .await
        .unwrap_err();

    assert!(error.to_string().contains("nosuch_column"), "{error}");
}

#[tokio::test]
async fn a_user_query_with_operators_finds_what_it_says() {
    let simulator = simulator().await;
    let session = session(&simulator);
    for name in ["a-robot", "b-robot", "c-human"] {
        session.insert(user(name)).await.unwrap();
    }
    let query = Query::user("user_nameSTARTSWITHa-^ORuser_nameLIKEb-r^NQuser_name=c-human").unwrap();

    let found = session
        .select(sys_user::TABLE, &query.order_by(sys_user::USER_NAME), sys_user::COLUMNS)
        .await
        .unwrap();

    let names: Vec<_> = found
        .iter()
        .filter_map(|record| record.text(sys_user::USER_NAME).value())
        .collect();
    assert_eq!(names, ["a-robot", "b-robot", "c-human"]);
}

#[tokio::test]
async fn a_sleeping_instance_is_never_an_absent_record() {
    let simulator = simulator().await;
    let session = session(&simulator);
    let made = session.insert(user("robot")).await.unwrap();
    simulator.instance().faults().every(Matcher::any(), Fault::Hibernation);

    let error = session
        .get_opt(sys_user::TABLE, made.record.sys_id(), &[])
        .await
        .unwrap_err();

    assert!(
        matches!(
            &error,
            TableError::NotTheApi {
                response: UnexpectedResponse::Hibernating,
                ..
            }
        ),
        "{error:?}"
    );
    simulator.instance().faults().clear();
    assert_eq!(made.origin, Origin::Answered);
}
