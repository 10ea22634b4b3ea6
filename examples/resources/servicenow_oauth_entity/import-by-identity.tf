import {
  to = servicenow_oauth_entity.outbound

  identity = {
    sys_id = "0123456789abcdef0123456789abcdef"
  }
}
