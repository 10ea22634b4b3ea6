import {
  to = servicenow_table_access.oauth_entity

  identity = {
    sys_id = "0123456789abcdef0123456789abcdef"
  }
}
