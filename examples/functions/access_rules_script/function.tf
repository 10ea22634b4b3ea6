output "access_rules" {
  # For somebody who may elevate to security_admin: terraform output -raw access_rules > access-rules.js
  value = provider::servicenow::access_rules_script(
    ["kb_knowledge", "kb_knowledge.*", "user_criteria"],
    "copilot_connector",
    ["read", "query_range"],
  )
}
