# The record's sys_id
terraform import servicenow_oidc_configuration.entra 0123456789abcdef0123456789abcdef

# Or the metadata address
terraform import servicenow_oidc_configuration.entra metadata_url=https://login.microsoftonline.com/contoso.com/.well-known/openid-configuration
