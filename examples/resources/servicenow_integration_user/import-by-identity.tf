import {
  to = servicenow_integration_user.rest_user

  identity = {
    sys_id = "0123456789abcdef0123456789abcdef"
  }
}
