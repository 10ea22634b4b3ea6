# Step C2, the narrow way: one application may read one table.
resource "servicenow_cross_scope_privilege" "oauth_entity" {
  source_scope = "x_mioms_m365_assis"
  target_scope = "global"
  target_name  = "oauth_entity"
  target_type  = "sys_db_object"
  operation    = "read"
  status       = "allowed"
}
