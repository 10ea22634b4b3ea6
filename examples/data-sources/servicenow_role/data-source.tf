data "servicenow_role" "incident_manager" {
  name = "incident_manager"
}

output "role_id" {
  description = "sys_id of the role."
  value       = data.servicenow_role.incident_manager.id
}
