# The table, and the record's sys_id
terraform import servicenow_record.session_timeout sys_properties/0123456789abcdef0123456789abcdef

# Or values that only this record has
terraform import servicenow_record.session_timeout sys_properties/name=x_acme.session_timeout
terraform import servicenow_record.acme 'u_supplier/u_code=ACME^u_tier=1'
