# Roles that the instance's administrators created under a common prefix.
list "servicenow_role" "all" {
  provider = servicenow

  config {
    query = "sys_scope=global^nameSTARTSWITHcopilot_"
  }
}
