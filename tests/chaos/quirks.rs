//! What the instance of a seed makes of records beyond storing them, all of which the provider must survive without an
//! error.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use servicenow_simulator::Simulator;
use servicenow_simulator::instance::{self, IdCase, LineEndings, Release};
use servicenow_simulator::microsoft::admin_center;

/// The quirks of one seed.
#[derive(Debug)]
pub(crate) struct Quirks {
    quirks: instance::Quirks,
    shares_addresses: bool,
    release: Release,
    admin_center: admin_center::Quirks,
}

impl Quirks {
    pub(crate) fn of(seed: u64) -> Self {
        // Another stream than those of the configuration and of the faults.
        let mut random = StdRng::seed_from_u64(seed ^ 0x4ab1_7000);
        let is_on = |random: &mut StdRng| random.random_bool(SHARE);
        let mut quirks = instance::Quirks {
            trims: is_on(&mut random),
            ignores_case: is_on(&mut random),
            privileges_follow_source: is_on(&mut random),
            adds_script_writers: is_on(&mut random),
            ..instance::Quirks::default()
        };
        if is_on(&mut random) {
            let all = [LineEndings::Lf, LineEndings::CrLf];
            quirks.line_endings = all[random.random_range(0..all.len())];
        }
        if is_on(&mut random) {
            let all = [IdCase::Lower, IdCase::Upper];
            quirks.id_case = all[random.random_range(0..all.len())];
            // What it shows in another case, it also finds in that case.
            quirks.ignores_case = true;
        }
        if is_on(&mut random) {
            quirks.lower_cased.insert(("sys_user".to_owned(), "email".to_owned()));
        }
        if is_on(&mut random) {
            quirks
                .beside
                .push(instance::Beside::new("sys_user", "title", "time_zone", "Europe/Paris"));
        }
        let shares_addresses = is_on(&mut random);
        if is_on(&mut random) {
            quirks.lists_lag = random.random_range(1..=2);
        }
        quirks.keeps_second_links = is_on(&mut random);
        // The scenarios need tables that older ones do not have.
        let releases = [Release::Zurich, Release::Australia, Release::Brazil];
        Self {
            quirks,
            shares_addresses,
            release: releases[random.random_range(0..releases.len())],
            admin_center: admin_center::Quirks {
                trims: is_on(&mut random),
                lower_cases_guids: is_on(&mut random),
            },
        }
    }

    /// Whether a list may be older than the last write.
    pub(crate) fn lags(&self) -> bool {
        self.quirks.lists_lag > 0
    }

    pub(crate) fn release(&self) -> Release {
        self.release
    }

    pub(crate) fn set(&self, simulator: &Simulator) {
        simulator.instance().switches(|modes| {
            modes.quirks = self.quirks.clone();
            modes.unique_oidc_url = !self.shares_addresses;
        });
        simulator.admin().set_quirks(self.admin_center);
    }

    /// What a line about a record comes to when texts differ only as the instance makes them differ.
    pub(crate) fn meaning(&self, line: &str) -> String {
        let mut text = line.to_owned();
        if self.quirks.line_endings != LineEndings::Kept {
            text = text.replace("\r\n", "\n");
        }
        if self.quirks.trims {
            // Each value of a line stands in brackets.
            let cells = text.split(BRACKET).map(str::trim);
            text = cells.collect::<Vec<_>>().join("|");
        }
        let is_of_admin_center = text.starts_with("repository ") || text.starts_with("support settings ");
        if is_of_admin_center && self.admin_center.lower_cases_guids {
            return text.to_lowercase();
        }
        if self.quirks.lower_cased.is_empty() {
            text
        } else {
            text.to_lowercase()
        }
    }
}

/// How many seeds have a quirk.
const SHARE: f64 = 0.3;
/// What values that may begin or end in blanks stand between.
const BRACKET: char = '|';
