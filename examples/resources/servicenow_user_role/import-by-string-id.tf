import {
  to = servicenow_user_role.administrator
  id = "0123456789abcdef0123456789abcdef"
}
