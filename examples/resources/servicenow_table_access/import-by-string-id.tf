import {
  to = servicenow_table_access.oauth_entity
  id = "0123456789abcdef0123456789abcdef"
}
