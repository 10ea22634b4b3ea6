import {
  to = servicenow_record.session_timeout

  identity = {
    table  = "sys_properties"
    sys_id = "0123456789abcdef0123456789abcdef"
  }
}
