# The grant's sys_id
terraform import servicenow_user_role.administrator 0123456789abcdef0123456789abcdef
