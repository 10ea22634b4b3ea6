import {
  to = servicenow_ip_access_rule.connector["52.149.152.32"]

  identity = {
    sys_id = "0123456789abcdef0123456789abcdef"
  }
}
