# Who may open cases with Microsoft.
list "servicenow_user_role" "all" {
  provider = servicenow

  config {
    query = "role.name=x_mioms_m365_assis.administrator"
  }
}
