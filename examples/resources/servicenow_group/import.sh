# The record's sys_id
terraform import servicenow_group.copilot_readers 0123456789abcdef0123456789abcdef
