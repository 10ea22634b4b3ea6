# The record's sys_id
terraform import servicenow_role.copilot_connector 0123456789abcdef0123456789abcdef

# Or the name
terraform import servicenow_role.copilot_connector name=copilot_connector
