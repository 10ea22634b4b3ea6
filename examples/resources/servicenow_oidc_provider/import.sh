# The record's sys_id
terraform import servicenow_oidc_provider.inbound 0123456789abcdef0123456789abcdef

# Or a column whose value is unique
terraform import servicenow_oidc_provider.inbound 'name=contoso_application_inbound_api'
