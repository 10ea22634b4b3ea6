import {
  to = servicenow_record.session_timeout
  id = "sys_properties/name=x_acme.session_timeout"
}
