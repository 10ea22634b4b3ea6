# A role of your own for the Microsoft 365 Copilot connector: what it contains is in one place, and access rules can ask for
# its name.
resource "servicenow_role" "copilot_connector" {
  name        = "copilot_connector"
  description = "What the Microsoft 365 Copilot connector may read"
  contains    = ["knowledge", "user_criteria_admin"]
}

resource "servicenow_integration_user" "copilot_connector" {
  user_name = "66666666-6666-4666-8666-666666666666"
  last_name = "Microsoft 365 Copilot connector"
  roles     = [servicenow_role.copilot_connector.name]
}
