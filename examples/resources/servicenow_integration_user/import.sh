# The record's sys_id
terraform import servicenow_integration_user.rest_user 0123456789abcdef0123456789abcdef

# Or a column whose value is unique
terraform import servicenow_integration_user.rest_user 'user_name=33333333-3333-4333-8333-333333333333'
