# The rule's sys_id
terraform import 'servicenow_ip_access_rule.connector["52.149.152.32"]' 0123456789abcdef0123456789abcdef

# Or an address
terraform import 'servicenow_ip_access_rule.connector["52.149.152.32"]' 'range_start=52.149.152.32'
