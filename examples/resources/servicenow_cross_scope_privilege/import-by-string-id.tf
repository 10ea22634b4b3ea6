import {
  to = servicenow_cross_scope_privilege.oauth_entity
  id = "0123456789abcdef0123456789abcdef"
}
