# The record's sys_id
terraform import servicenow_cross_scope_privilege.oauth_entity 0123456789abcdef0123456789abcdef

# Or application and object
terraform import servicenow_cross_scope_privilege.oauth_entity 'source_scope=x_mioms_m365_assis^target_name=oauth_entity'
