import {
  to = servicenow_role.copilot_connector
  id = "name=copilot_connector"
}
