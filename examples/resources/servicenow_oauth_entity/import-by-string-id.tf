import {
  to = servicenow_oauth_entity.outbound
  id = "0123456789abcdef0123456789abcdef"
}
