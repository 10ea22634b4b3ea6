import {
  to = servicenow_group.copilot_readers
  id = "name=Copilot readers"
}
