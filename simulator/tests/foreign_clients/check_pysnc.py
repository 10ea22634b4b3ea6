"""An independent caller of the simulator: PySNC, ServiceNow's own Python client (PyPI `pysnc`, written against 1.2.1).

Usage: python check_pysnc.py FILE, which has the simulator's first line.

Exits non-zero at the first difference.
"""

import asyncio

from pysnc import ServiceNowClient, ServiceNowClientCredentialsFlow, ServiceNowPasswordGrantFlow
from pysnc.asyncio import AsyncServiceNowClient
from pysnc.exceptions import AuthenticationException, RoleException

from announced import announced

TABLE = "sys_user"
# The keys of these records are the same on every instance; PySNC's own tests spell them out.
ADMINISTRATOR = "6816f79cc0a8016401c5a33be04be441"
ADMIN_ROLE = "2831a114c611228501d4ea6c309d626d"


def main():
    simulator = announced()
    url, account = simulator["instance_url"], (simulator["username"], simulator["password"])
    client = ServiceNowClient(url, account)
    created = create(client, 25)
    query(client)
    related(client)
    page(client)
    update(client, created[0])
    without_values(client)
    columns(client)
    long_query(client, created)
    oauth(client, url, account)
    asyncio.run(without_headers(url, account))
    errors(client, url, account[0])
    delete(client)
    print(f"PySNC agrees with {url}")


def create(client, count):
    ids = []
    for number in range(count):
        record = client.GlideRecord(TABLE)
        record.initialize()
        record.user_name = f"pysnc.{number:02}"
        record.first_name = "Py"
        record.last_name = f"Snc {number:02}"
        record.notification = number % 3
        ids.append(str(record.insert()))
        assert record.name == f"Py Snc {number:02}", record.name
    return ids


def query(client):
    def names(*terms, encoded=None, order=None):
        record = client.GlideRecord(TABLE)
        record.add_query("user_name", "STARTSWITH", "pysnc.")
        for term in terms:
            record.add_query(*term)
        if encoded:
            record.add_encoded_query(encoded)
        if order:
            record.order_by_desc(order)
        record.query()
        return [str(row.user_name) for row in record]

    assert len(names()) == 25
    assert names(("last_name", "LIKE", "09")) == ["pysnc.09"]
    assert sorted(names(("user_name", "IN", "pysnc.01,pysnc.02"))) == ["pysnc.01", "pysnc.02"]
    assert len(names(("user_name", "NOT IN", "pysnc.01,pysnc.02"))) == 23
    assert len(names(("notification", ">", "1"))) == 8
    assert names(("email", "ISNOTEMPTY", "")) == []
    assert names(("user_name", "ENDSWITH", "7"), order="user_name") == ["pysnc.17", "pysnc.07"]
    assert sorted(names(encoded="user_name=pysnc.03^ORuser_name=pysnc.04")) == ["pysnc.03", "pysnc.04"]

    record = client.GlideRecord(TABLE)
    condition = record.add_query("user_name", "pysnc.05")
    condition.add_or_condition("user_name", "pysnc.06")
    record.query()
    assert record.get_row_count() == 2

    grant = client.GlideRecord("sys_user_has_role")
    grant.add_query("user.user_name", "admin")
    grant.query()
    assert grant.next() and grant.get_display_value("role") == "admin"
    assert len(grant.get_value("role")) == 32


def related(client):
    """Terms about other tables, and texts in what a reference shows."""
    users = client.GlideRecord(TABLE)
    grants = users.add_join_query("sys_user_has_role", join_table_field="user")
    grants.add_query("role", ADMIN_ROLE)
    users.query()
    assert [str(row.sys_id) for row in users] == [ADMINISTRATOR]

    groups = client.GlideRecord("sys_user_group")
    roles = groups.add_rl_query("sys_group_has_role", "group", ">0", True)
    roles.add_query("role.name", "LIKE", "iti")
    groups.query()
    assert [str(row.name) for row in groups] == ["Service Desk"]

    grant = client.GlideRecord("sys_user_has_role")
    grant.add_query("role", "STARTSWITH", "adm")
    grant.query()
    assert grant.get_row_count() == 1


def page(client):
    record = client.GlideRecord(TABLE, batch_size=4)
    record.add_query("user_name", "STARTSWITH", "pysnc.")
    record.order_by("user_name")
    record.query()
    seen = [str(row.user_name) for row in record]
    assert seen == [f"pysnc.{number:02}" for number in range(25)], seen
    assert record.get_row_count() == 25

    record = client.GlideRecord(TABLE)
    record.limit = 3
    record.add_query("user_name", "STARTSWITH", "pysnc.")
    record.query()
    assert len(list(record)) == 3


def update(client, sys_id):
    record = client.GlideRecord(TABLE)
    assert record.get(sys_id)
    record.title = "Engineer"
    assert record.update() is not None
    again = client.GlideRecord(TABLE)
    assert again.get("user_name", "pysnc.00")
    assert (str(again.title), str(again.sys_mod_count)) == ("Engineer", "1")


def without_values(client):
    """It then sends no body at all."""
    record = client.GlideRecord("incident")
    record.initialize()
    assert record.insert() is not None
    assert record.delete()


def columns(client):
    record = client.GlideRecord("incident")
    record.initialize()
    record.insert()
    record = client.GlideRecord("incident")
    record.fields = "sys_id,short_description,state"
    record.query()
    for row in record.serialize_all():
        assert list(row) == ["sys_id", "short_description", "state"], row
    record.query()
    assert record.delete_multiple()


async def without_headers(url, account):
    """Its asynchronous half sends neither Accept nor Content-Type."""
    client = AsyncServiceNowClient(url, account)
    try:
        record = await client.GlideRecord(TABLE)
        assert await record.get(ADMINISTRATOR)
        assert record.get_value("user_name") == account[0]
    finally:
        await client.session.aclose()


def long_query(client, ids):
    """Above 10,000 characters PySNC turns to the batch API."""
    record = client.GlideRecord(TABLE)
    record.add_query("sys_id", "IN", ",".join(ids * 16))
    record.query()
    assert record.get_row_count() == 25


def oauth(client, url, account):
    user = client.GlideRecord(TABLE)
    assert user.get("user_name", "pysnc.01")
    enabled = client.GlideRecord("sys_properties")
    enabled.initialize()
    enabled.name = "glide.oauth.inbound.client.credential.grant_type.enabled"
    enabled.value = "true"
    enabled.insert()
    entity = client.GlideRecord("oauth_entity")
    entity.initialize()
    entity.name = "PySNC"
    entity.client_secret = "simulated secret"
    entity.user = str(user.sys_id)
    entity.inbound_grant_type = "client_credential"
    entity.insert()
    assert entity.get_value("client_secret") != "simulated secret"
    flow = ServiceNowClientCredentialsFlow(entity.get_value("client_id"), "simulated secret")
    robot = ServiceNowClient(url, flow).GlideRecord(TABLE)
    assert robot.get("user_name", "pysnc.01")
    # This one puts the client's id and secret into HTTP Basic.
    flow = ServiceNowPasswordGrantFlow(*account, entity.get_value("client_id"), "simulated secret")
    person = ServiceNowClient(url, flow).GlideRecord(TABLE)
    assert person.get("user_name", "pysnc.01")
    assert entity.delete() and enabled.delete()


def errors(client, url, user):
    record = client.GlideRecord(TABLE)
    assert record.get("0" * 31 + "f") is False
    refused = client.GlideRecord("sys_plugins")
    expect(RoleException, refused.query, "Operation Failed")
    stranger = ServiceNowClient(url, (user, "wrong")).GlideRecord(TABLE)
    expect(AuthenticationException, stranger.query, "User is not authenticated")
    unknown = client.GlideRecord("nosuch")
    expect(Exception, unknown.query, "Invalid table nosuch")


def expect(kind, call, part):
    try:
        call()
    except kind as error:
        assert part in str(error), error
    else:
        raise AssertionError(f"no {kind.__name__}")


def delete(client):
    record = client.GlideRecord(TABLE)
    record.add_query("user_name", "STARTSWITH", "pysnc.")
    record.query()
    assert record.delete_multiple()
    record = client.GlideRecord(TABLE)
    record.add_query("user_name", "STARTSWITH", "pysnc.")
    record.query()
    assert record.get_row_count() == 0


if __name__ == "__main__":
    main()
