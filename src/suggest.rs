//! "Did you mean": the known names that resemble a wrong one.

/// The names that are similar enough to be meant, the most similar first.
pub(crate) fn similar<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let wrong = wrong.to_lowercase();
    let contains = |one: &str, other: &str| other.len() > 3 && one.contains(other);
    let mut ranked: Vec<(usize, &str)> = known
        .into_iter()
        .filter_map(|name| {
            let lower = name.to_lowercase();
            let distance = strsim::levenshtein(&wrong, &lower);
            let is_near = distance <= 1 + name.chars().count() / 4;
            (is_near || contains(&lower, &wrong) || contains(&wrong, &lower)).then_some((distance, name))
        })
        .collect();
    ranked.sort_unstable();
    ranked.dedup();
    ranked.into_iter().map(|(_, name)| name).collect()
}

/// The most similar of some names, if one is similar enough to be meant.
pub(crate) fn closest<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    similar(wrong, known).into_iter().next()
}

/// ` Did you mean "…"?` with the most similar of some names; empty if none is similar enough.
pub(crate) fn did_you_mean<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    closest(wrong, known).map_or_else(String::new, |meant| format!(" Did you mean {meant:?}?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_recognised_and_nonsense_is_not() {
        let known = ["incident_manager", "itil", "admin"];
        assert_eq!(closest("incident_manger", known), Some("incident_manager"));
        assert_eq!(closest("ITIL", known), Some("itil"));
        assert_eq!(closest("completely_else", known), None);
    }

    #[test]
    fn a_part_of_a_name_is_similar() {
        let known = ["x_mioms_m365_assis.administrator", "admin", "itil"];
        assert_eq!(
            similar("administrator", known),
            ["admin", "x_mioms_m365_assis.administrator"]
        );
        assert_eq!(similar("it", known), ["itil"]);
    }
}
