output "update_set" {
  # For somebody who may elevate to security_admin: terraform output -raw update_set > access-rules.xml
  value = provider::servicenow::access_rules_update_set(
    ["kb_knowledge", "kb_knowledge.*", "user_criteria"],
    "copilot_connector",
    "0123456789abcdef0123456789abcdef", # servicenow_role.connector.id
    ["read", "query_range"],
  )
}
