import {
  to = servicenow_group.copilot_readers

  identity = {
    sys_id = "0123456789abcdef0123456789abcdef"
  }
}
