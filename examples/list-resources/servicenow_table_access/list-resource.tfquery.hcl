# How applications may use the OAuth tables.
list "servicenow_table_access" "all" {
  provider = servicenow

  config {
    query = "nameSTARTSWITHoauth_entity"
  }
}
