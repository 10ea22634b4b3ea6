# The record's sys_id
terraform import servicenow_oauth_entity.outbound 0123456789abcdef0123456789abcdef

# Or a column whose value is unique
terraform import servicenow_oauth_entity.outbound 'name=m365supportintegration_outbound'
