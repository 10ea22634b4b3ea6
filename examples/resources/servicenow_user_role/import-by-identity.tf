import {
  to = servicenow_user_role.administrator

  identity = {
    sys_id = "0123456789abcdef0123456789abcdef"
  }
}
