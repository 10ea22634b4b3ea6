# Every active user with an email address of the company, by name.
data "servicenow_records" "people" {
  table    = "sys_user"
  query    = "active=true^emailENDSWITH@example.com"
  columns  = ["user_name", "email"]
  order_by = ["user_name"]
  limit    = 200
}

output "emails" {
  description = "Email addresses by user name."
  value       = { for user in data.servicenow_records.people.records : user.user_name => user.email }
}
