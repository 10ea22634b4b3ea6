data "servicenow_user" "abel" {
  user_name = "abel.tuter"
}

output "user_id" {
  description = "sys_id of the user."
  value       = data.servicenow_user.abel.id
}
