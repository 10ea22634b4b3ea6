# The grant's sys_id
terraform import servicenow_user_role.administrator 0123456789abcdef0123456789abcdef

# Or user and role
terraform import servicenow_user_role.administrator 'user=abel.tuter^role=x_mioms_m365_assis.administrator'
