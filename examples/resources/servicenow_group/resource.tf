# A group whose members may read what the Microsoft 365 Copilot connector reads.
resource "servicenow_group" "copilot_readers" {
  name        = "Copilot readers"
  description = "Who may read what the Microsoft 365 Copilot connector reads"
  manager     = "abel.tuter"
  roles       = ["knowledge"]
  members     = ["abel.tuter", "beth.anglin"]
}
