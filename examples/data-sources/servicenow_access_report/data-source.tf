# What the account of the provider block can read. For the integration user, sign in as that user in a provider block with an
# alias, and name it with the argument `provider`.
data "servicenow_access_report" "this" {
  tables = [
    { name = "incident", columns = ["short_description", "state"] },
    { name = "kb_knowledge", query = "workflow_state=published", may_hide_rows = true },
  ]
}

output "access" {
  value = { for finding in data.servicenow_access_report.this.findings : finding.table => finding.status }
}
