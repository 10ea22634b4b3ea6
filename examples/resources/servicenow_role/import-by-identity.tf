import {
  to = servicenow_role.copilot_connector

  identity = {
    sys_id = "0123456789abcdef0123456789abcdef"
  }
}
