# A role of its own for an integration, and the access rules (ACL) that let the role read, as text for somebody who may elevate to
# security_admin: terraform output -raw access_rules_script > access-rules.js

locals {
  # One list for the rules and for the report that says when they took.
  tables = {
    kb_knowledge  = ["text"]
    user_criteria = []
  }
  names      = flatten([for table, columns in local.tables : [table, [for column in columns : "${table}.${column}"]]])
  operations = ["read", "query_range"]
}

resource "servicenow_role" "connector" {
  name        = "copilot_connector"
  description = "What the connector may read"
}

output "access_rules_script" {
  value = provider::servicenow::access_rules_script(local.names, servicenow_role.connector.name, local.operations)
}

output "access_rules_update_set" {
  value = provider::servicenow::access_rules_update_set(
    local.names, servicenow_role.connector.name, servicenow_role.connector.id, local.operations
  )
}
