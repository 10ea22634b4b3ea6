# Step U1: lets an existing user open cases with Microsoft. The role exists once the application is installed.
resource "servicenow_user_role" "administrator" {
  user = "abel.tuter"
  role = "x_mioms_m365_assis.administrator"
}
