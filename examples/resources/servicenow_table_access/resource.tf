# Step C2, as the guide words it: all application scopes can read. Destroy restores the old values.
resource "servicenow_table_access" "oauth_entity" {
  table       = "oauth_entity"
  access      = "public"
  read_access = true
}
