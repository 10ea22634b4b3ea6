# The system properties of an application.
list "servicenow_record" "all" {
  provider = servicenow

  config {
    table = "sys_properties"
    query = "nameSTARTSWITHx_acme."
  }
}
