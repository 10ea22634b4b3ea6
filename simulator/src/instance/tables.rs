//! The tables of the instance, declared from ServiceNow's own table schemas and from exported records.
//! Nothing here is shared with the provider: a wrong name on either side must show.

mod connections;
mod custom;
mod oauth;
mod people;
mod platform;
mod work;

use crate::instance::release::Release;
use crate::instance::schema::Schema;

pub(super) fn schema(release: Release) -> Schema {
    let tables = [
        platform::tables(),
        oauth::tables(),
        people::tables(),
        work::tables(),
        connections::tables(),
        custom::tables(),
    ];
    Schema::new(release, tables.concat())
}
