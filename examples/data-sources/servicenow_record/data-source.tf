# The record itself, and the user name of whom it refers to.
data "servicenow_record" "incident_table" {
  table       = "sys_db_object"
  natural_key = { name = "incident" }
  columns     = ["label", "super_class.name"]
}

output "extends" {
  description = "The table that incident extends."
  value       = data.servicenow_record.incident_table.fields["super_class.name"]
}
