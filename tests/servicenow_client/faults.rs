//! Faults: nothing doubled, nothing forgotten, nothing believed to be gone that is there.

use servicenow_provider::http::Method;
use servicenow_provider::servicenow::tables::sys_user_group;
use servicenow_provider::servicenow::{Origin, Query, Sample, Table, TableError, Update};
use servicenow_simulator::faults::{Fault, Matcher, RetryAfter};

use super::*;

fn posts() -> Matcher {
    Matcher::table("sys_user").method(Method::POST)
}

#[tokio::test]
async fn an_insert_whose_answer_is_lost_is_found_again() {
    for fault in [Fault::CutAfter, Fault::WrongContentLength] {
        let simulator = simulator().await;
        simulator.instance().faults().next(posts(), fault.clone());

        let written = session(&simulator).insert(user("robot")).await.unwrap();

        assert_eq!(written.origin, Origin::FoundAgain, "{fault:?}");
        assert_eq!(written.mismatches, []);
        let stored = simulator.instance().find("sys_user", "user_name", "robot");
        assert_eq!(stored.len(), 1);
        assert_eq!(stored[0]["sys_id"], written.record.sys_id().as_str());
    }
}

/// A right is proven by a row alone: what is counted and not shown is there, what is not counted may be.
#[tokio::test]
async fn a_sample_tells_rows_from_hidden_ones_and_from_none() {
    let simulator = simulator().await;
    let session = session(&simulator);
    let ours = sys_user_group::TABLE;
    let nothing = Table::named("sys_scope_privilege").unwrap();
    assert_eq!(session.sample(ours).await.unwrap(), Sample::Rows);
    assert_eq!(session.sample(nothing).await.unwrap(), Sample::Empty);
    let groups = simulator.instance().records("sys_user_group").len();

    simulator.instance().quirks(|quirks| {
        quirks.hidden_tables.insert("sys_user_group".to_owned());
    });

    assert_eq!(session.sample(ours).await.unwrap(), Sample::Hidden { count: groups });
}

/// A hidden record of the same key explains a refusal only where the instance keeps the key unique.
#[tokio::test]
async fn a_hidden_record_explains_a_refusal_where_its_key_is_unique() {
    for (table, column, is_unique) in [
        (sys_user::TABLE, sys_user::USER_NAME, true),
        (sys_user_group::TABLE, sys_user_group::NAME, false),
    ] {
        let simulator = simulator().await;
        let session = session(&simulator);
        let hidden = simulator.instance().put(table.name(), &[(column.name(), "same")]);
        simulator.instance().switches(|modes| {
            modes.hidden_rows.insert(hidden.clone());
        });
        let inserts = Matcher::table(table.name()).method(Method::POST);
        simulator.instance().faults().next(inserts, Fault::ForbiddenByAcl);
        let insert = Insert {
            table,
            row: Row::new().set(column, "same"),
            read: &[],
            natural_key: Some(Query::equals(column, "same").unwrap()),
            input: InputMode::Stored,
        };

        let error = session.insert(insert).await.unwrap_err();

        match &error {
            TableError::Hidden { .. } => assert!(is_unique, "{error:?}"),
            TableError::Refused { .. } => assert!(!is_unique, "{error:?}"),
            _ => panic!("{table}: {error:?}"),
        }
    }
}

#[tokio::test]
async fn an_insert_that_did_not_arrive_is_sent_again() {
    let faults = [
        Fault::CutBefore,
        Fault::ServerError(500),
        Fault::ServerError(503),
        Fault::Maintenance,
        Fault::TooManyRequests(RetryAfter::Seconds(0)),
    ];
    for fault in faults {
        // As often as it is sent again at most.
        let simulator = simulator().await;
        simulator.instance().faults().times(posts(), fault.clone(), 4);

        let written = session(&simulator).insert(user("robot")).await.unwrap();

        assert_eq!(written.origin, Origin::Answered, "{fault:?}");
        assert_eq!(
            simulator.instance().find("sys_user", "user_name", "robot").len(),
            1,
            "{fault:?}"
        );
    }
}

/// The instance keeps a second user of a name out, so the record that was there before proves that none was made.
#[tokio::test]
async fn a_lost_insert_of_a_name_that_was_there_before_is_a_duplicate() {
    for fault in [Fault::CutBefore, Fault::CutAfter, Fault::ServerError(500)] {
        let simulator = simulator().await;
        let before = [("user_name", "robot"), ("sys_created_on", "2020-01-01 00:00:00")];
        let twin = simulator.instance().put("sys_user", &before);
        simulator.instance().faults().next(posts(), fault.clone());

        let error = session(&simulator).insert(user("robot")).await.unwrap_err();

        let TableError::Duplicate { existing, .. } = &error else {
            panic!("{fault:?}: {error:?}");
        };
        assert_eq!(existing.as_ref().map(SysId::as_str), Some(twin.as_str()), "{fault:?}");
        assert_eq!(simulator.instance().find("sys_user", "user_name", "robot").len(), 1);
    }
}

#[tokio::test]
async fn a_refused_insert_is_not_sent_again() {
    for fault in [
        Fault::ForbiddenByAcl,
        Fault::ForbiddenByBusinessRule,
        Fault::ForbiddenHtml,
        Fault::Hibernation,
    ] {
        let simulator = simulator().await;
        simulator.instance().faults().next(posts(), fault.clone());

        let error = session(&simulator).insert(user("robot")).await.unwrap_err();

        assert!(
            matches!(error, TableError::Refused { .. } | TableError::NotTheApi { .. }),
            "{error:?}"
        );
        assert!(
            simulator.instance().find("sys_user", "user_name", "robot").is_empty(),
            "{fault:?}"
        );
    }
}

#[tokio::test]
async fn an_interrupted_insert_is_seen_through() {
    let simulator = simulator().await;
    simulator
        .instance()
        .faults()
        .next(posts(), Fault::Slow(Duration::from_millis(200)));
    let cancel = CancellationToken::new();
    let session = instance(&simulator, basic(&simulator)).at(Limits::new(Duration::from_secs(60), cancel.clone()));

    let (written, ()) = tokio::join!(session.insert(user("robot")), async {
        while simulator.instance().faults().fired().is_empty() {
            tokio::task::yield_now().await;
        }
        cancel.cancel();
    });

    assert!(written.is_ok(), "the record exists, so it must be known: {written:?}");
    assert_eq!(simulator.instance().find("sys_user", "user_name", "robot").len(), 1);
}

#[tokio::test]
async fn a_read_survives_what_passes() {
    let faults = [
        Fault::NotFound,
        Fault::CutBefore,
        Fault::CutAfter,
        Fault::ServerError(502),
        Fault::Maintenance,
        Fault::WrongContentLength,
        Fault::TooManyRequests(RetryAfter::Silent),
    ];
    let simulator = simulator().await;
    let session = session(&simulator);
    let made = session.insert(user("robot")).await.unwrap();
    for fault in faults {
        simulator
            .instance()
            .faults()
            .next(Matcher::table("sys_user"), fault.clone());

        let found = session.get_opt(sys_user::TABLE, made.record.sys_id(), &[]).await;

        assert!(found.unwrap().is_some(), "{fault:?}");
    }
    for fault in [Fault::TruncatedList, Fault::PartialList, Fault::StaleRead] {
        let other = session.insert(user(&format!("robot-{fault:?}"))).await.unwrap();
        simulator
            .instance()
            .faults()
            .next(Matcher::table("sys_user"), fault.clone());

        let (one, two) = tokio::join!(
            session.get_opt(sys_user::TABLE, made.record.sys_id(), &[]),
            session.get_opt(sys_user::TABLE, other.record.sys_id(), &[])
        );

        assert!(one.unwrap().is_some() && two.unwrap().is_some(), "{fault:?}");
    }
}

#[tokio::test]
async fn a_long_rate_limit_is_an_error_that_says_what_to_set() {
    let simulator = simulator().await;
    simulator
        .instance()
        .faults()
        .every(Matcher::any(), Fault::TooManyRequests(RetryAfter::Seconds(3000)));

    let error = session(&simulator).insert(user("robot")).await.unwrap_err();

    assert!(
        matches!(
            error,
            TableError::RateLimited {
                retry_after: Some(_),
                ..
            }
        ),
        "{error:?}"
    );
    assert!(error.remedy().contains("requests_per_second"));
}

/// Random faults over insert, update and delete: what was reported is what the instance holds.
#[tokio::test]
async fn whatever_happens_the_instance_holds_what_was_reported() {
    for seed in 0..24 {
        let simulator = simulator().await;
        let mut session = session(&simulator);
        simulator.instance().faults().chaos(seed, 0.3);
        let mut kept = Vec::new();
        for number in 0..6 {
            let name = format!("robot-{number}");
            let mut tries = 0;
            let sys_id = loop {
                tries += 1;
                assert!(tries < 40, "seed {seed}: {:?}", simulator.instance().faults().fired());
                match session.insert(user(&name)).await {
                    Ok(written) => break written.record.sys_id().clone(),
                    // What a person does: adopt the record that is in the way.
                    Err(TableError::Duplicate {
                        existing: Some(existing),
                        ..
                    }) => {
                        panic!("seed {seed}: an insert that failed had made {existing}")
                    }
                    Err(TableError::Uncertain { .. }) => {
                        let stored = simulator.instance().find("sys_user", "user_name", &name);
                        if let Some(stored) = stored.first() {
                            break id(&stored["sys_id"]);
                        }
                    }
                    // Refused credentials are not tried again in one run: the next one does.
                    Err(TableError::SignIn { .. } | TableError::Unauthenticated { .. }) => {
                        session = self::session(&simulator)
                    }
                    Err(_) => {}
                }
            };
            let row = Row::new().set(sys_user::TITLE, name.as_str());
            let update = Update {
                table: sys_user::TABLE,
                sys_id: &sys_id,
                row,
                read: &[sys_user::TITLE],
                input: InputMode::Stored,
            };
            if let Ok(written) = session.update(update).await {
                let stored = simulator.instance().record("sys_user", sys_id.as_str()).unwrap();
                assert_eq!(stored["title"] == name, written.mismatches.is_empty(), "seed {seed}");
            }
            let is_removed = number % 2 == 0 && session.delete(sys_user::TABLE, &sys_id).await.is_ok();
            if is_removed {
                assert!(
                    simulator.instance().record("sys_user", sys_id.as_str()).is_none(),
                    "seed {seed}"
                );
            } else {
                kept.push((name, sys_id));
            }
        }
        simulator.instance().faults().clear();
        for (name, sys_id) in kept {
            let stored = simulator.instance().find("sys_user", "user_name", &name);
            assert!(stored.len() <= 1, "seed {seed}: {name} is there {} times", stored.len());
            assert!(
                stored.iter().all(|record| record["sys_id"] == sys_id.as_str()),
                "seed {seed}"
            );
        }
    }
}

#[tokio::test]
async fn a_list_that_is_not_found_once_is_asked_for_again() {
    let simulator = simulator().await;
    simulator
        .instance()
        .put("sys_user_group", &[("name", "Service Desk EMEA")]);
    let lists = Matcher::table("sys_user_group").method(Method::GET);
    simulator.instance().faults().next(lists, Fault::NotFound);
    let query = Query::equals(sys_user_group::NAME, "Service Desk EMEA").unwrap();

    let found = session(&simulator)
        .select(sys_user_group::TABLE, &query, &[])
        .await
        .unwrap();

    assert_eq!(found.len(), 1);
}

/// A page of the instance's own that refuses is an answer: the insert is neither looked for nor sent again.
#[tokio::test]
async fn an_insert_that_a_page_refuses_is_not_sent_again() {
    let simulator = simulator().await;
    simulator.instance().faults().every(posts(), Fault::ForbiddenHtml);

    let error = session(&simulator).insert(user("robot")).await.unwrap_err();

    assert!(matches!(error, TableError::NotTheApi { .. }), "{error:?}");
    assert_eq!(simulator.instance().faults().fired().len(), 1);
}
