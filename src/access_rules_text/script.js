// Access rules (ACL) for one role, written by terraform-provider-servicenow.
// Run it in System Definition > Scripts - Background, in the application of the tables (usually Global), after elevating to
// security_admin. It can be run again: what exists stays as it is.
(function () {
  // A first rule for a name takes precedence over those that the name inherits (of the parent table, of *): whoever has
  // access through these loses it. Such a rule is created only if this is true.
  var ALLOW_FIRST_RULES = false;
  /* values */

  function keyOf(table, name) {
    var record = new GlideRecord(table);
    record.addQuery("name", name);
    record.query();
    return record.next() ? record.getUniqueValue() : "";
  }

  function rulesOf(name, operation) {
    var record = new GlideRecord(RULE_TABLE);
    record.addQuery(NAME, name);
    record.addQuery(OPERATION, operation);
    record.addQuery(TYPE, type);
    record.addQuery(ACTIVE, true);
    record.query();
    return record;
  }

  // Without its role a rule is open to everybody, so it is activated last.
  function create(name, operation, ruleKey, linkKey) {
    var rule = new GlideRecord(RULE_TABLE);
    var isNew = !rule.get(ruleKey);
    if (isNew) {
      if (!ALLOW_FIRST_RULES && !rulesOf(name, operation).hasNext()) {
        return "skipped: it would be the first rule of this name, see ALLOW_FIRST_RULES";
      }
      rule.initialize();
      rule.setNewGuidValue(ruleKey);
      rule.setValue(NAME, name);
      rule.setValue(OPERATION, operation);
      rule.setValue(TYPE, type);
      rule.setValue(DESCRIPTION, WHY);
      rule.setValue(ACTIVE, false);
      if (!rule.insert() || !rule.get(ruleKey)) {
        return "FAILED: the rule could not be created. " + rule.getLastErrorMessage();
      }
    }
    var link = new GlideRecord(LINK_TABLE);
    link.addQuery(LINK_RULE, ruleKey);
    link.addQuery(LINK_ROLE, role);
    link.query();
    var hasRole = link.hasNext();
    if (!hasRole) {
      link = new GlideRecord(LINK_TABLE);
      link.initialize();
      link.setNewGuidValue(linkKey);
      link.setValue(LINK_RULE, ruleKey);
      link.setValue(LINK_ROLE, role);
      if (!link.insert()) {
        return "FAILED: the role could not be added, and the rule is not active. " + link.getLastErrorMessage();
      }
    }
    if (rule.getValue(ACTIVE) != "1") {
      if (!isNew && hasRole) {
        return "exists and is not active: left alone. Activate it, unless somebody deactivated it on purpose";
      }
      rule.setValue(ACTIVE, true);
      if (!rule.update()) {
        return "FAILED: the rule could not be activated. " + rule.getLastErrorMessage();
      }
    }
    return isNew ? "created" : hasRole ? "exists" : "completed";
  }

  var role = keyOf(ROLE_TABLE, ROLE);
  var type = keyOf(TYPE_TABLE, RECORD);
  if (!role || !type) {
    gs.print("Nothing was changed: there is no role " + ROLE + ", or you may not see it.");
    return;
  }
  if (!new GlideRecord(RULE_TABLE).canCreate()) {
    gs.print("Nothing was changed: elevate to security_admin first.");
    return;
  }
  for (var i = 0; i < RULES.length; i++) {
    var operation = keyOf(OPERATION_TABLE, RULES[i][1]);
    var result = operation
      ? create(RULES[i][0], operation, RULES[i][2], RULES[i][3])
      : "skipped: this release has no such operation";
    gs.print(RULES[i][0] + " " + RULES[i][1] + ": " + result);
  }
})();
