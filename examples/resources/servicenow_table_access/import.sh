# The sys_id of the table's record
terraform import servicenow_table_access.oauth_entity 0123456789abcdef0123456789abcdef

# Or the table's name
terraform import servicenow_table_access.oauth_entity 'name=oauth_entity'
