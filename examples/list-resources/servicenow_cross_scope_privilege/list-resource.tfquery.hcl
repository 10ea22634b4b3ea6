# What the Microsoft application was allowed to read.
list "servicenow_cross_scope_privilege" "all" {
  provider = servicenow

  config {
    query = "source_scope.scope=x_mioms_m365_assis"
  }
}
