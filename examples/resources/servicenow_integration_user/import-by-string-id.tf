import {
  to = servicenow_integration_user.rest_user
  id = "0123456789abcdef0123456789abcdef"
}
