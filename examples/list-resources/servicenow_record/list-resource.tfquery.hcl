# The system properties of an application.
list "servicenow_record" "all" {
  provider = servicenow

  config {
    table = "sys_properties"
    query = "nameSTARTSWITHx_acme."
    # What a generated configuration is to have of each. Without it, all that has a value of its own.
    columns = ["name", "value"]
  }
}
