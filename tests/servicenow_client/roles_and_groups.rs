//! Roles and groups, under both kinds of role management.

use servicenow_provider::http::Method;
use servicenow_provider::servicenow::{Granted, LinkTable, TableError};
use servicenow_simulator::faults::{Fault, Gate, Matcher};

use super::*;

async fn robot(session: &Session) -> SysId {
    session.insert(user("robot")).await.unwrap().record.sys_id().clone()
}

fn direct_rows(simulator: &Simulator, user: &SysId, role: &SysId) -> usize {
    let rows = simulator.instance().find("sys_user_has_role", "user", user.as_str());
    rows.iter()
        .filter(|row| row["role"] == role.as_str() && row["inherited"] != "true")
        .count()
}

#[tokio::test]
async fn a_role_is_granted_once_and_revoked() {
    for is_legacy in [false, true] {
        let simulator = simulator().await;
        simulator
            .instance()
            .switches(|modes| modes.legacy_role_rows = is_legacy);
        let session = session(&simulator);
        let user = robot(&session).await;
        let role = session.roles().id_of("incident_manager").await.unwrap();

        let first = session.links(LinkTable::ROLES).grant(&user, &role).await.unwrap();
        assert!(matches!(first, Granted::Made(_)), "legacy {is_legacy}: {first:?}");
        let again = session.links(LinkTable::ROLES).grant(&user, &role).await.unwrap();
        assert_eq!(again, Granted::Had(first.sys_id().clone()), "legacy {is_legacy}");
        assert_eq!(direct_rows(&simulator, &user, &role), 1);
        let has = session.links(LinkTable::ROLES).of(&user).await.unwrap();
        assert!(
            has.iter()
                .any(|grant| grant.to == role && !grant.inherited && grant.active)
        );
        assert!(
            has.iter().any(|grant| grant.inherited),
            "incident_manager contains other roles"
        );

        // What the process found here it took over; another one may revoke it.
        let revoked = session.links(LinkTable::ROLES).revoke(&user, &role).await.unwrap();
        assert_eq!((revoked.removed, revoked.is_taken_over), (0, true));
        let session = self::session(&simulator);
        let revoked = session.links(LinkTable::ROLES).revoke(&user, &role).await.unwrap();
        assert_eq!((revoked.removed, revoked.still_inherited), (1, false));
        assert_eq!(session.links(LinkTable::ROLES).of(&user).await.unwrap(), []);
        assert_eq!(
            session
                .links(LinkTable::ROLES)
                .revoke(&user, &role)
                .await
                .unwrap()
                .removed,
            0
        );
    }
}

#[tokio::test]
async fn an_inherited_role_is_granted_directly_and_then_left_as_it_was() {
    for is_legacy in [false, true] {
        let simulator = simulator().await;
        simulator
            .instance()
            .switches(|modes| modes.legacy_role_rows = is_legacy);
        let session = session(&simulator);
        let user = robot(&session).await;
        let outer = session.roles().id_of("incident_manager").await.unwrap();
        let inner = session.roles().id_of("itil").await.unwrap();
        session.links(LinkTable::ROLES).grant(&user, &outer).await.unwrap();

        session.links(LinkTable::ROLES).grant(&user, &inner).await.unwrap();
        assert_eq!(direct_rows(&simulator, &user, &inner), 1, "legacy {is_legacy}");

        let revoked = session.links(LinkTable::ROLES).revoke(&user, &inner).await.unwrap();
        assert_eq!(revoked.removed, 1);
        assert_eq!(direct_rows(&simulator, &user, &inner), 0);
        let has = session.links(LinkTable::ROLES).of(&user).await.unwrap();
        assert!(
            has.iter().any(|grant| grant.to == inner && grant.inherited),
            "legacy {is_legacy}"
        );
        assert!(
            session
                .links(LinkTable::ROLES)
                .revoke(&user, &inner)
                .await
                .unwrap()
                .still_inherited
        );
    }
}

#[tokio::test]
async fn grants_of_one_user_take_turns() {
    let simulator = simulator().await;
    let session = session(&simulator);
    let user = robot(&session).await;
    let names = [
        "incident_manager",
        "itil",
        "knowledge",
        "catalog_admin",
        "user_admin",
        "oauth_admin",
    ];
    simulator.instance().faults().every(
        Matcher::table("sys_user_has_role").method(Method::POST),
        Fault::Slow(Duration::from_millis(20)),
    );

    let grants = names.map(|name| {
        let (session, user) = (&session, &user);
        async move {
            let Ok(role) = session.roles().id_of(name).await else {
                return;
            };
            session.links(LinkTable::ROLES).grant(user, &role).await.unwrap();
        }
    });
    futures_util::future::join_all(grants).await;

    let log = simulator.instance().log();
    let overlaps: Vec<_> = log
        .iter()
        .filter(|line| line.to_lowercase().contains("overlap"))
        .collect();
    assert!(overlaps.is_empty(), "{overlaps:?}");
    let posts = simulator
        .instance()
        .requests()
        .iter()
        .filter(|request| request.method == "POST")
        .count();
    assert!(posts > 3, "{posts}");
}

/// As `servicenow_user_role` grants them, each resource by itself, to a user whom another process made.
#[tokio::test]
async fn grants_of_one_user_share_a_look_but_not_what_they_grant() {
    let simulator = simulator().await;
    let user = robot(&session(&simulator)).await;
    let session = session(&simulator);
    let mut roles = Vec::new();
    for name in ["itil", "knowledge", "catalog_admin", "user_admin", "oauth_admin"] {
        roles.extend(session.roles().id_of(name).await.ok());
    }
    assert!(roles.len() > 3);
    let gets = || {
        let requests = simulator.instance().requests();
        let of_links = requests
            .iter()
            .filter(|request| request.path.ends_with("/sys_user_has_role"));
        of_links.filter(|request| request.method == "GET").count()
    };

    let links = || session.links(LinkTable::ROLES);
    let grants = roles.iter().map(async |role| links().grant(&user, role).await.unwrap());
    let granted = futures_util::future::join_all(grants).await;
    assert!(granted.iter().all(|granted| matches!(granted, Granted::Made(_))));
    assert_eq!(gets(), 1);

    // A look that shows the role is no proof that the user still has it.
    let again = links().grant(&user, &roles[0]).await.unwrap();
    assert_eq!(again, Granted::Had(granted[0].sys_id().clone()));
    assert_eq!(gets(), 2);

    // Nor does one hold after a revocation.
    let row = granted[1].sys_id();
    links().revoke_row(&user, &roles[1], row).await.unwrap();
    assert!(matches!(
        links().grant(&user, &roles[1]).await.unwrap(),
        Granted::Made(_)
    ));
    assert_eq!(gets(), 3);
}

#[tokio::test]
async fn a_grant_whose_answer_is_lost_is_not_doubled() {
    for is_legacy in [false, true] {
        let simulator = simulator().await;
        simulator
            .instance()
            .switches(|modes| modes.legacy_role_rows = is_legacy);
        let session = session(&simulator);
        let user = robot(&session).await;
        for (name, inherited_before) in [("incident_manager", false), ("itil", true)] {
            let role = session.roles().id_of(name).await.unwrap();
            let posts = Matcher::table("sys_user_has_role").method(Method::POST);
            simulator.instance().faults().next(posts, Fault::CutAfter);

            session.links(LinkTable::ROLES).grant(&user, &role).await.unwrap();

            assert_eq!(
                direct_rows(&simulator, &user, &role),
                1,
                "legacy {is_legacy}, {name}, {inherited_before}"
            );
        }
    }
}

/// A direct grant of an inherited role changes the row that is there: neither its key nor its age tells who granted.
#[tokio::test]
async fn a_lost_grant_of_an_inherited_role_is_ours_as_no_look_showed_it() {
    for is_somebody_faster in [false, true] {
        let simulator = simulator().await;
        let session = session(&simulator);
        let user = SysId::parse(&simulator.instance().put("sys_user", &[("user_name", "robot")])).unwrap();
        let outer = session.roles().id_of("incident_manager").await.unwrap();
        let inner = session.roles().id_of("itil").await.unwrap();
        let links = session.links(LinkTable::ROLES);
        links.grant(&user, &outer).await.unwrap();
        let has = links.of(&user).await.unwrap();
        let row = has.iter().find(|link| link.to == inner).unwrap().sys_id.clone();
        let change = |values: &[(&str, &str)]| {
            simulator.instance().change("sys_user_has_role", row.as_str(), values);
        };
        change(&[("sys_created_on", "2020-01-01 00:00:00")]);
        let posts = || Matcher::table("sys_user_has_role").method(Method::POST);

        let granted = if is_somebody_faster {
            let gate = Gate::shut();
            simulator
                .instance()
                .faults()
                .next(posts(), Fault::HeldBefore(gate.clone()));
            let (granted, ()) = tokio::join!(links.grant(&user, &inner), async {
                while simulator.instance().faults().fired().is_empty() {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
                change(&[("inherited", "false")]);
                gate.open();
            });
            granted.unwrap()
        } else {
            simulator.instance().faults().next(posts(), Fault::CutAfter);
            links.grant(&user, &inner).await.unwrap()
        };

        let expected = if is_somebody_faster {
            Granted::Had
        } else {
            Granted::Made
        };
        assert_eq!(granted, expected(row));
    }
}

/// What a role contains comes with it: no look before the turn can show these rows.
#[tokio::test]
async fn a_lost_grant_of_a_role_that_came_with_another_is_ours() {
    for is_separate in [false, true] {
        let simulator = simulator().await;
        let session = session(&simulator);
        let user = SysId::parse(&simulator.instance().put("sys_user", &[("user_name", "robot")])).unwrap();
        let outer = session.roles().id_of("incident_manager").await.unwrap();
        let inner = session.roles().id_of("itil").await.unwrap();
        let links = session.links(LinkTable::ROLES);
        let lost = Matcher::table("sys_user_has_role").method(Method::POST).nth(2);
        simulator.instance().faults().next(lost, Fault::CutAfter);

        let granted = if is_separate {
            vec![links.grant(&user, &outer).await, links.grant(&user, &inner).await]
        } else {
            links.grant_each(&user, &[outer, inner]).await
        };
        let are_made = granted.iter().all(|granted| matches!(granted, Ok(Granted::Made(_))));
        assert!(are_made, "separate {is_separate}: {granted:?}");
    }
}

#[tokio::test]
async fn a_grant_that_wants_elevation_names_the_way_around() {
    let simulator = simulator().await;
    simulator
        .instance()
        .switches(|modes| modes.grants_need_elevation = true);
    let session = session(&simulator);
    let user = robot(&session).await;
    let role = session.roles().id_of("incident_manager").await.unwrap();

    let error = session.links(LinkTable::ROLES).grant(&user, &role).await.unwrap_err();

    assert!(matches!(error, TableError::Refused { .. }), "{error:?}");
    assert!(error.remedy().contains("group"), "{}", error.remedy());
}

/// The account may not grant, and what the record has decides: nothing more is asked of a link that is there.
#[tokio::test]
async fn a_refused_grant_is_none_where_the_user_has_the_role() {
    let refused = || Matcher::table("sys_user_has_role").method(Method::POST);
    for what in [
        "nothing",
        "the role by another one",
        "a row that does not work",
        "the role",
    ] {
        let simulator = simulator().await;
        let session = session(&simulator);
        let user = robot(&session).await;
        let role = session.roles().id_of("itil").await.unwrap();
        let outer = session.roles().id_of("incident_manager").await.unwrap();
        let links = session.links(LinkTable::ROLES);
        let put = |role: &SysId| {
            let cells = [("user", user.as_str()), ("role", role.as_str())];
            simulator.instance().put("sys_user_has_role", &cells);
        };
        match what {
            "the role" => put(&role),
            "nothing" => {}
            _ => put(&outer),
        }
        let rows = simulator.instance().find("sys_user_has_role", "user", user.as_str());
        let row = rows.iter().find(|row| row["role"] == role.as_str());
        let row = row.map(|row| SysId::parse(&row["sys_id"]).unwrap());
        if let ("a row that does not work", Some(row)) = (what, &row) {
            let pending = [("state", "pending")];
            simulator.instance().change("sys_user_has_role", row.as_str(), &pending);
        }
        let faults = simulator.instance().faults();
        // The look before the grant is answered from before the row.
        let look = Matcher::table("sys_user_has_role").method(Method::GET);
        faults.next(
            look,
            Fault::Answer {
                status: 200,
                content_type: "application/json".to_owned(),
                body: r#"{"result": []}"#.to_owned(),
            },
        );
        faults.every(refused(), Fault::ForbiddenByAcl);

        let granted = links.grant(&user, &role).await;

        match (what, row, granted) {
            ("nothing" | "a row that does not work", _, Err(TableError::Refused { .. })) => {}
            ("the role by another one", Some(row), Ok(Granted::Inherited(by))) if by == row => {}
            ("the role", Some(row), Ok(Granted::Had(by))) if by == row => {}
            (_, row, granted) => panic!("{what}, {row:?}: {granted:?}"),
        }
    }
}

#[tokio::test]
async fn a_user_joins_a_group_once_and_leaves_it() {
    let simulator = simulator().await;
    simulator
        .instance()
        .put("sys_user_group", &[("name", "Robots & friends")]);
    let session = session(&simulator);
    let user = robot(&session).await;
    let group = session.groups().id_of("Robots & friends").await.unwrap();

    let groups = session.links(LinkTable::GROUPS);
    let first = groups.grant(&user, &group).await.unwrap();
    assert!(matches!(first, Granted::Made(_)), "{first:?}");
    let again = groups.grant(&user, &group).await.unwrap();
    assert_eq!(again, Granted::Had(first.sys_id().clone()));
    let links = groups.of(&user).await.unwrap();
    assert_eq!(links.len(), 1, "{links:?}");
    assert_eq!((&links[0].sys_id, &links[0].to), (first.sys_id(), &group));
    assert!(groups.revoke(&user, &group).await.unwrap().is_taken_over);
    let session = self::session(&simulator);
    let groups = session.links(LinkTable::GROUPS);
    assert_eq!(groups.revoke(&user, &group).await.unwrap().removed, 1);
    assert_eq!(groups.of(&user).await.unwrap(), []);
}

#[tokio::test]
async fn an_unknown_role_is_answered_with_those_that_resemble_it() {
    let simulator = simulator().await;

    let error = session(&simulator).roles().id_of("incident_manger").await.unwrap_err();

    assert!(
        error.to_string().contains("did you mean \"incident_manager\""),
        "{error}"
    );
}

/// Two spellings in one list stand for one record, and not every instance refuses a second row.
#[tokio::test]
async fn one_record_twice_in_a_turn_is_one_link() {
    let simulator = simulator().await;
    simulator.instance().switches(|modes| modes.legacy_role_rows = true);
    let session = session(&simulator);
    let user = robot(&session).await;
    let role = session.roles().id_of("incident_manager").await.unwrap();
    let group = session.groups().id_of("Hardware").await.unwrap();

    for (table, to) in [(LinkTable::ROLES, &role), (LinkTable::GROUPS, &group)] {
        let links = session.links(table);
        let granted = links.grant_each(&user, &[to.clone(), to.clone()]).await;

        let [Ok(Granted::Made(first)), Ok(Granted::Had(second))] = &granted[..] else {
            panic!("{granted:?}");
        };
        assert_eq!(first, second);
        let has = links.of(&user).await.unwrap();
        let direct = has.iter().filter(|link| link.to == *to && !link.inherited);
        assert_eq!(direct.count(), 1, "{table:?}");
        let revoked = links.revoke_each(&user, &[to.clone(), to.clone()]).await;
        assert!(revoked.iter().all(Result::is_ok), "{revoked:?}");
    }
}

/// Neither the answer of a grant arrives nor its row: what the user has then tells whose it is, by the key that was chosen.
#[tokio::test]
async fn a_lost_grant_that_cannot_be_looked_for_is_known_by_its_key() {
    for is_ours in [true, false] {
        let simulator = simulator().await;
        let faults = simulator.instance().faults();
        let user = made_before(&simulator, Party::User("robot"));
        let group = made_before(&simulator, Party::Group("Night shift"));
        let table = || Matcher::table("sys_user_grmember");
        if is_ours {
            faults.next(table().method(Method::POST), Fault::CutAfter);
        } else {
            let cells = [("user", user.as_str()), ("group", group.as_str())];
            simulator.instance().put("sys_user_grmember", &cells);
            // Neither look before the grant shows it.
            faults.times(table().method(Method::GET), Fault::EmptyList, 2);
            faults.next(table().method(Method::POST), Fault::CutBefore);
        }
        faults.every(table().method(Method::GET).path(is_of_one), Fault::ServerError(503));

        let session = session(&simulator);
        let granted = session.links(LinkTable::GROUPS).grant(&user, &group).await.unwrap();

        let rows = simulator.instance().records("sys_user_grmember");
        assert_eq!(rows.len(), 1, "{rows:?}");
        let row = id(&rows[0]["sys_id"]);
        let expected = if is_ours { Granted::Made(row) } else { Granted::Had(row) };
        assert_eq!(granted, expected);
    }
}

/// A list that does not show a row yet: where nothing on the instance keeps a second one out, it is looked at again.
#[tokio::test]
async fn a_link_that_a_list_shows_late_is_not_made_again() {
    use Party::*;
    for (links, [owner, to, other, third]) in [
        (LinkTable::GROUPS, [User("a"), Group("b"), Group("c"), Group("d")]),
        (LinkTable::MEMBERS, [Group("a"), User("b"), User("c"), User("d")]),
        (
            LinkTable::GROUP_ROLES,
            [Group("a"), Role("x_b"), Role("x_c"), Role("x_d")],
        ),
        (
            LinkTable::CONTAINED_ROLES,
            [Role("x_a"), Role("x_b"), Role("x_c"), Role("x_d")],
        ),
    ] {
        let simulator = simulator().await;
        simulator.instance().quirks(|quirks| quirks.keeps_second_links = true);
        let (owner, to) = (made_before(&simulator, owner), made_before(&simulator, to));
        let earlier = session(&simulator);
        let made = earlier.links(links).grant(&owner, &to).await.unwrap();
        let table = links.table.name();
        let late = Matcher::table(table).method(Method::GET);
        simulator.instance().faults().next(late, Fault::EmptyList);

        let granted = session(&simulator).links(links).grant(&owner, &to).await.unwrap();

        assert_eq!(granted, Granted::Had(made.sys_id().clone()), "{table}");

        // The first look lacks the other, and the second both.
        let late = Matcher::table(table).method(Method::GET).nth(2);
        simulator.instance().faults().next(late, Fault::EmptyList);
        let (other, third) = (made_before(&simulator, other), made_before(&simulator, third));
        let session = session(&simulator);
        let granted = session.links(links).grant_each(&owner, &[to.clone(), other]).await;

        assert!(
            matches!(&granted[..], [Ok(Granted::Had(had)), Ok(Granted::Made(_))] if had == made.sys_id()),
            "{table}: {granted:?}"
        );

        // Nor does a look after another one was made.
        let late = Matcher::table(table).method(Method::GET).nth(3);
        simulator.instance().faults().next(late, Fault::EmptyList);
        let granted = session.links(links).grant_each(&owner, &[third, to]).await;

        assert!(
            matches!(&granted[..], [Ok(Granted::Made(_)), Ok(Granted::Had(had))] if had == made.sys_id()),
            "{table}: {granted:?}"
        );
    }
}

/// A user lists the group and the group lists the user: the link is one row, whichever side comes first, and also while lists
/// show what was before it.
#[tokio::test]
async fn a_link_that_both_sides_make_is_one_row() {
    for (is_at_once, is_lost) in [(false, false), (true, false), (true, true)] {
        let simulator = simulator().await;
        simulator.instance().quirks(|quirks| {
            quirks.lists_lag = if is_lost { 0 } else { 3 };
            quirks.keeps_second_links = true;
        });
        if is_lost {
            // Neither the answer to the first insert arrives nor the row itself.
            let faults = simulator.instance().faults();
            let table = || Matcher::table("sys_user_grmember");
            faults.next(table().method(Method::POST), Fault::CutAfter);
            faults.every(table().method(Method::GET).path(is_of_one), Fault::ServerError(503));
        }
        let session = session(&simulator);
        let user = made_before(&simulator, Party::User("robot"));
        let group = made_before(&simulator, Party::Group("Night shift"));
        let (groups, members) = (session.links(LinkTable::GROUPS), session.links(LinkTable::MEMBERS));
        let (of_user, of_group) = (groups.grant(&user, &group), members.grant(&group, &user));

        let (of_user, of_group) = if is_at_once {
            tokio::join!(of_user, of_group)
        } else {
            (of_user.await, of_group.await)
        };

        let rows = simulator.instance().records("sys_user_grmember");
        assert_eq!(rows.len(), 1, "at once {is_at_once}, lost {is_lost}: {rows:?}");
        // Where the row cannot be read, the other side is told so, unless it looked late enough to find it in a list.
        let granted: Vec<Granted> = [of_user, of_group].into_iter().filter_map(Result::ok).collect();
        let least = if is_lost { 1 } else { 2 };
        assert!(granted.len() >= least, "at once {is_at_once}, lost {is_lost}");
        assert!(
            granted
                .iter()
                .all(|granted| granted.sys_id().as_str() == rows[0]["sys_id"])
        );
    }
}

/// A membership that this process removed is gone, also where a list still shows it.
#[tokio::test]
async fn a_link_that_was_removed_from_the_other_side_is_made_again() {
    let simulator = simulator().await;
    let (user, group) = (
        made_before(&simulator, Party::User("robot")),
        made_before(&simulator, Party::Group("Night shift")),
    );
    let cells = [("user", user.as_str()), ("group", group.as_str())];
    simulator.instance().put("sys_user_grmember", &cells);
    simulator.instance().quirks(|quirks| quirks.lists_lag = 1);
    let session = session(&simulator);
    let revoked = session.links(LinkTable::GROUPS).revoke(&user, &group).await.unwrap();
    assert_eq!(revoked.removed, 1);

    let granted = session.links(LinkTable::MEMBERS).grant(&group, &user).await.unwrap();

    assert!(matches!(granted, Granted::Made(_)), "{granted:?}");
    assert_eq!(simulator.instance().records("sys_user_grmember").len(), 1);
}

/// Whether a path is that of one record.
fn is_of_one(path: &str) -> bool {
    path.rsplit('/').next().is_some_and(|last| SysId::parse(last).is_ok())
}

enum Party {
    User(&'static str),
    Group(&'static str),
    Role(&'static str),
}

/// A record that another process made.
fn made_before(simulator: &Simulator, party: Party) -> SysId {
    let (table, column, name) = match party {
        Party::User(name) => ("sys_user", "user_name", name),
        Party::Group(name) => ("sys_user_group", "name", name),
        Party::Role(name) => ("sys_user_role", "name", name),
    };
    id(&simulator.instance().put(table, &[(column, name)]))
}

/// Somebody else grants the role between the look and the insert, whose answer is lost.
#[tokio::test]
async fn a_row_that_somebody_else_made_meanwhile_is_not_ours() {
    let simulator = simulator().await;
    let session = session(&simulator);
    let user = made_before(&simulator, Party::User("robot"));
    let role = session.roles().id_of("itil").await.unwrap();
    let cells = [
        ("user", user.as_str()),
        ("role", role.as_str()),
        ("sys_created_by", "somebody"),
    ];
    let row = simulator.instance().put("sys_user_has_role", &cells);
    let faults = simulator.instance().faults();
    let table = || Matcher::table("sys_user_has_role");
    // The look before the grant does not show it yet.
    faults.next(table().method(Method::GET), Fault::EmptyList);
    faults.next(table().method(Method::POST), Fault::CutBefore);

    let granted = session.links(LinkTable::ROLES).grant(&user, &role).await.unwrap();

    assert_eq!(granted, Granted::Had(id(&row)));
    assert_eq!(faults.fired().len(), 2);
}

#[tokio::test]
async fn a_role_that_can_only_be_inherited_is_found_to_be() {
    let simulator = simulator().await;
    let session = session(&simulator);
    let (user, role, row) = inherits(&simulator, &session).await;
    simulator
        .instance()
        .switches(|modes| modes.grants_need_elevation = true);

    let granted = session.links(LinkTable::ROLES).grant(&user, &role).await.unwrap();

    assert_eq!(granted, Granted::Inherited(row));
}

/// Another row by which the user has the role proves nothing of a grant whose answers were all lost.
#[tokio::test]
async fn a_grant_that_never_arrives_is_uncertain_although_the_role_is_inherited() {
    let simulator = simulator().await;
    let session = session(&simulator);
    let (user, role, _) = inherits(&simulator, &session).await;
    let posts = Matcher::table("sys_user_has_role").method(Method::POST);
    simulator.instance().faults().every(posts, Fault::CutBefore);

    let ended = session.links(LinkTable::ROLES).grant(&user, &role).await;

    assert!(matches!(ended, Err(TableError::Uncertain { .. })), "{ended:?}");
}

/// The list of a user's roles can lag behind the row that a search by its key shows.
#[tokio::test]
async fn a_row_that_keeps_the_grant_out_is_what_was_there() {
    let simulator = simulator().await;
    let session = session(&simulator);
    let user = made_before(&simulator, Party::User("robot"));
    let role = session.roles().id_of("itil").await.unwrap();
    let cells = [("user", user.as_str()), ("role", role.as_str())];
    let row = simulator.instance().put("sys_user_has_role", &cells);
    let faults = simulator.instance().faults();
    let lists = || Matcher::table("sys_user_has_role").method(Method::GET);
    faults.next(lists(), Fault::EmptyList);
    faults.next(lists().nth(2), Fault::EmptyList);

    let granted = session.links(LinkTable::ROLES).grant(&user, &role).await.unwrap();

    assert_eq!(granted, Granted::Had(id(&row)), "{:?}", faults.fired());
    assert_eq!(faults.fired().len(), 2);
}

/// A user who has a role by another one: the user, the role and its row.
async fn inherits(simulator: &Simulator, session: &Session) -> (SysId, SysId, SysId) {
    let user = robot(session).await;
    let role = session.roles().id_of("itil").await.unwrap();
    let outer = session.roles().id_of("incident_manager").await.unwrap();
    let cells = [("user", user.as_str()), ("role", outer.as_str())];
    simulator.instance().put("sys_user_has_role", &cells);
    let rows = simulator.instance().find("sys_user_has_role", "user", user.as_str());
    let row = rows.iter().find(|row| row["role"] == role.as_str()).unwrap();
    (user, role, id(&row["sys_id"]))
}
