output "name" {
  description = "Name of the table, for `table` of `servicenow_record`. Known when the table, its columns and its choices exist."
  value       = servicenow_record.table.fields.name

  depends_on = [servicenow_record.column, servicenow_record.choice]
}

output "id" {
  description = "sys_id of the table's record in `sys_db_object`."
  value       = servicenow_record.table.id
}

output "columns" {
  description = "sys_ids of the records in `sys_dictionary`, by column name."
  value       = { for element, column in servicenow_record.column : element => column.id }
}

output "choices" {
  description = "sys_ids of the records in `sys_choice`, by `<column>=<value>`."
  value       = { for key, choice in servicenow_record.choice : key => choice.id }
}
